# The standard headers that nearly every source includes, compiled once for all layers that are compiled with OpenMP. That
# saves 0.1 to 0.7 s of processor time per source (five sources of 1.7 to 6 s, GCC 12). A compiler cache would miss with
# precompiled headers, so a build with one does without them.
if(CMAKE_CXX_COMPILER_LAUNCHER)
  return()
endif()
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "")
add_library(umbra_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
target_link_libraries(umbra_precompiled PUBLIC OpenMP::OpenMP_CXX)
target_precompile_headers(umbra_precompiled PRIVATE <algorithm> <array> <cmath> <functional> <map> <memory> <optional>
                          <sstream> <span> <string> <string_view> <vector>)
foreach(layer cpu ops registry tensor grad nn optim models forest io train data tasks tools forest_tool)
  if(TARGET umbra_${layer})
    target_precompile_headers(umbra_${layer} REUSE_FROM umbra_precompiled)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # GCC 12 then warns about its own std::string again (bugs 105329, 105651)
      target_compile_options(umbra_${layer} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
    endif()
  endif()
endforeach()
