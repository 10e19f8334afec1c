# umbra_layer(NAME DIRECTORY [EXCLUDE file…] [EXCLUDE_FOLDERS folder…] [DEPENDS layer…]): one library per layer, from
# every *.cpp below DIRECTORY. A layer without sources is a header-only (INTERFACE) library. Includes are relative to
# the repository's root.
function(umbra_layer name directory)
  cmake_parse_arguments(LAYER "" "" "EXCLUDE;EXCLUDE_FOLDERS;DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${directory}/*.cpp)
  foreach(file ${LAYER_EXCLUDE})
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/${directory}/${file})
  endforeach()
  foreach(folder ${LAYER_EXCLUDE_FOLDERS})
    list(FILTER sources EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/${directory}/${folder}/")
  endforeach()
  if(sources)
    add_library(umbra_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(umbra_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(umbra_${name} ${scope} ${PROJECT_SOURCE_DIR})
  foreach(layer ${LAYER_DEPENDS})
    target_link_libraries(umbra_${name} ${scope} umbra_${layer})
  endforeach()
endfunction()

# umbra_tests(NAME DIRECTORY LINK library…): one GoogleTest executable from every *_test.cpp in DIRECTORY; every test
# case is a ctest test of the same name.
function(umbra_tests name directory)
  cmake_parse_arguments(TESTS "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${directory}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${TESTS_LINK} umbra_device GTest::gtest_main)
  target_compile_definitions(${name}_tests PRIVATE UMBRA_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                   UMBRA_BINARY_DIR="${PROJECT_BINARY_DIR}"
                                                   UMBRA_SANITIZER="${UMBRA_SANITIZE}")
  gtest_discover_tests(${name}_tests DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 900 LABELS ${name})
endfunction()
