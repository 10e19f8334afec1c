# umbra_layer(NAME DIRECTORY [ONLY file…] [EXCLUDE file…] [EXCLUDE_FOLDERS folder…] [DEPENDS layer…]): one library per
# layer, from the files of ONLY or from every *.cpp below DIRECTORY. A layer without sources is a header-only
# (INTERFACE) library. Includes are relative to the repository's root.
function(umbra_layer name directory)
  cmake_parse_arguments(LAYER "" "" "ONLY;EXCLUDE;EXCLUDE_FOLDERS;DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${directory}/*.cpp)
  if(LAYER_ONLY)
    list(TRANSFORM LAYER_ONLY PREPEND ${PROJECT_SOURCE_DIR}/${directory}/ OUTPUT_VARIABLE sources)
  endif()
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

# For sources whose own speed does not matter: less time to compile. Kernels and layers never use it.
set(UMBRA_QUICK_COMPILE $<$<CONFIG:Release>:-O1>)

# umbra_compile_together(TARGET source…): these sources of a target become one translation unit, because most of the time goes
# into headers and templates that they share. The names in their anonymous namespaces differ. Unlike CMake's UNITY_BUILD
# it includes them by relative paths, so that a compiler cache serves the translation unit of a copy.
function(umbra_compile_together target first)
  set(text "")
  foreach(source ${first} ${ARGN})
    file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${source})
    string(APPEND text "#include \"${path}\"\n")
    set_source_files_properties(${source} PROPERTIES HEADER_FILE_ONLY ON)
  endforeach()
  file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR} ${first})
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/together/${path} CONTENT "${text}")
  target_sources(${target} PRIVATE ${PROJECT_BINARY_DIR}/together/${path})
endfunction()

# umbra_compile_folder_together(TARGET REGEX): the same for the sources of a target whose paths in the repository begin with
# REGEX, except for those that have definitions of their own or are in another translation unit.
function(umbra_compile_folder_together target regex)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "^${PROJECT_SOURCE_DIR}/${regex}")
  foreach(source ${sources})
    get_source_file_property(definitions ${source} COMPILE_DEFINITIONS)
    get_source_file_property(elsewhere ${source} HEADER_FILE_ONLY)
    if(definitions OR elsewhere)
      list(REMOVE_ITEM sources ${source})
    endif()
  endforeach()
  umbra_compile_together(${target} ${sources})
endfunction()

# umbra_compile_tests(TARGET): how test cases are compiled. test_paths.h gives them the folders of the repository and
# of the build. It is a header, not a definition for every file, so that a compiler cache serves the other files of a
# copy.
function(umbra_compile_tests target)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/test_paths.h.in ${PROJECT_BINARY_DIR}/test_paths/test_paths.h @ONLY)
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/test_paths)
  target_compile_options(${target} PRIVATE ${UMBRA_QUICK_COMPILE})
  target_compile_definitions(${target} PRIVATE UMBRA_SANITIZER="${UMBRA_SANITIZE}")
  umbra_use_precompiled(${target} tests)
endfunction()

# umbra_compile_tests_together(TARGET FOLDER name…): umbra_compile_together() for the sources tests/FOLDER/NAME_test.cpp. A
# test that is in no such list is compiled alone.
function(umbra_compile_tests_together target folder)
  list(TRANSFORM ARGN REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/tests/${folder}/\\1_test.cpp" OUTPUT_VARIABLE sources)
  umbra_compile_together(${target} ${sources})
endfunction()

# umbra_discover(TARGET LABEL [PREFIX text] [COST n] [TOGETHER suite…]): every test case of a GoogleTest executable is a
# ctest test of the same name. The suites after TOGETHER are one test each: a ctest test is a process of its own, and each
# would repeat what the suite prepares for all of its cases. Tests of a larger COST start earlier.
function(umbra_discover target label)
  cmake_parse_arguments(DISCOVER "" "PREFIX;COST" "TOGETHER" ${ARGN})
  if(NOT DISCOVER_COST)
    set(DISCOVER_COST 0)
  endif()
  set(cases "*")
  if(DISCOVER_TOGETHER)
    string(REPLACE ";" ".*:" suites "${DISCOVER_TOGETHER}")
    string(APPEND cases "-${suites}.*")
  endif()
  gtest_discover_tests(${target} TEST_PREFIX "${DISCOVER_PREFIX}" TEST_FILTER "${cases}" DISCOVERY_TIMEOUT 120
                       PROPERTIES TIMEOUT 900 LABELS ${label} COST ${DISCOVER_COST})
  foreach(suite ${DISCOVER_TOGETHER})
    add_test(NAME ${DISCOVER_PREFIX}${suite} COMMAND ${target} --gtest_filter=${suite}.*)
    set_tests_properties(${DISCOVER_PREFIX}${suite} PROPERTIES TIMEOUT 900 LABELS ${label} COST 20
                         FAIL_REGULAR_EXPRESSION "Running 0 tests")  # no suite has this name
  endforeach()
endfunction()

# umbra_tests(NAME DIRECTORY LINK library… [COST n] [TOGETHER suite…]): one GoogleTest executable from
# every *_test.cpp in DIRECTORY.
function(umbra_tests name directory)
  cmake_parse_arguments(TESTS "" "COST" "LINK;TOGETHER" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${directory}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE ${TESTS_LINK} umbra_device GTest::gtest_main)
  umbra_compile_tests(${name}_tests)
  umbra_discover(${name}_tests ${name} COST ${TESTS_COST} TOGETHER ${TESTS_TOGETHER})
endfunction()

# umbra_give_mpirun(file…): defines UMBRA_MPIRUN for sources of tests that start mpirun (tests/fixtures/mpirun.h).
function(umbra_give_mpirun)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_DEFINITIONS UMBRA_MPIRUN="${UMBRA_MPIRUN}")
endfunction()

# umbra_in_processes(TARGET SUITE LABEL n… [PREFIX text]): the test suite of an executable is also run under mpirun in n
# processes, as a ctest test per number.
function(umbra_in_processes target suite label)
  cmake_parse_arguments(PROCESSES "" "PREFIX" "" ${ARGN})
  foreach(processes ${PROCESSES_UNPARSED_ARGUMENTS})
    if(UMBRA_MPIRUN)
      set(test ${PROCESSES_PREFIX}${suite}.In${processes}Processes)
      add_test(NAME ${test} COMMAND ${UMBRA_MPIRUN} --oversubscribe --bind-to none -np ${processes}
                                    $<TARGET_FILE:${target}> --gtest_filter=${suite}.*)
      set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT 300
                           FAIL_REGULAR_EXPRESSION "Running 0 tests"  # no suite has this name
                           ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMP_NUM_THREADS=1")
    endif()
  endforeach()
endfunction()
