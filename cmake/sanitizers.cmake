# UMBRA_SANITIZE=address,undefined or =thread: flags for every target, and options built into every program
# (sanitizer_options.cpp), so that tests, the tools they start and tools run by hand behave alike.
add_compile_options(-fsanitize=${UMBRA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
add_link_options(-fsanitize=${UMBRA_SANITIZE})
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-Wno-maybe-uninitialized)  # under instrumentation GCC takes members of std::regex for uninitialised
endif()
add_library(umbra_sanitizer STATIC ${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cpp)
link_libraries($<BUILD_INTERFACE:umbra_sanitizer>)  # for every target defined after this line; not of an installed library
foreach(symbol asan_default_options lsan_default_suppressions ubsan_default_options tsan_default_options)
  add_link_options(LINKER:-u,__${symbol})  # the sanitizers' weak references alone would not pull them from an archive
endforeach()

# ThreadSanitizer does not see the locks and barriers inside an OpenMP library, so it would report every fork and join
# as a race. LLVM's OpenMP library reports them through Archer; GCC's has no equivalent.
if(UMBRA_SANITIZE MATCHES thread)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  if(OpenMP_omp_LIBRARY)
    get_filename_component(openmp_library ${OpenMP_omp_LIBRARY} REALPATH)
    get_filename_component(openmp_directory ${openmp_library} DIRECTORY)
  endif()
  find_library(UMBRA_ARCHER archer HINTS ${openmp_directory})
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang OR NOT UMBRA_ARCHER)
    message(FATAL_ERROR "umbra: UMBRA_SANITIZE=thread needs Clang and LLVM's OpenMP library with Archer (packages clang and "
                        "libomp-dev); with another OpenMP library it would report every loop as a race")
  endif()
  target_link_libraries(umbra_sanitizer INTERFACE -Wl,--push-state,--no-as-needed ${UMBRA_ARCHER} -Wl,--pop-state)
endif()
