# Precompiled headers: the standard headers that nearly every source includes, and those together with GoogleTest for the
# tests. They save a quarter of the processor time of engine/ops and engine/grad (226 s, then 170 s; GCC 12) and 0.9 s per
# source of tests. Every source still includes what it uses: the presets with sanitizers build without them, as
# CMAKE_DISABLE_PRECOMPILE_HEADERS=ON does.
set(umbra_standard_headers <algorithm> <array> <cmath> <functional> <map> <memory> <optional> <sstream> <span> <string>
    <string_view> <vector>)
set(umbra_can_precompile TRUE)
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "(^|/)ccache$" AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # As ccache's manual requires for precompiled headers; and whatever the locale, because Python sets LC_CTYPE for the
  # programs that it starts, as the test of CONTRIBUTING.md does.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,locale
      ${CMAKE_CXX_COMPILER_LAUNCHER})
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
elseif(CMAKE_CXX_COMPILER_LAUNCHER)
  set(umbra_can_precompile FALSE)
endif()

# umbra_precompile(SET LINK library… HEADERS header…): declares a set, which is compiled as its libraries require.
function(umbra_precompile set)
  cmake_parse_arguments(SET "" "" "LINK;HEADERS" ${ARGN})
  if(NOT umbra_can_precompile)
    return()
  endif()
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/precompiled_${set}.cpp CONTENT "")
  add_library(umbra_precompiled_${set} OBJECT EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/precompiled_${set}.cpp)
  target_link_libraries(umbra_precompiled_${set} PUBLIC OpenMP::OpenMP_CXX ${SET_LINK})
  target_precompile_headers(umbra_precompiled_${set} PRIVATE ${umbra_standard_headers} ${SET_HEADERS})
endfunction()

# umbra_use_precompiled(TARGET SET): compiles the sources of a target with a set, if there is one.
function(umbra_use_precompiled target set)
  if(NOT TARGET umbra_precompiled_${set})
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM umbra_precompiled_${set})
  target_compile_options(${target} PRIVATE ${OpenMP_CXX_FLAGS})  # as the set was compiled
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # GCC 12 then warns about its own std::string again (bugs 105329, 105651)
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endfunction()

umbra_precompile(standard)
if(GTest_FOUND)
  umbra_precompile(tests LINK GTest::gtest HEADERS <gtest/gtest.h>)
endif()
# Not CLI11 for the tools: it defines objects, so that every source would compile their initialisation, 4 seconds each.
