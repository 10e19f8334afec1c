# UMBRA_SANITIZE=address,undefined or =thread: flags for everything, and options that every program carries in itself
# (sanitizer_options.cpp), so that a test, a tool it starts and a tool run by hand behave alike.
add_compile_options(-fsanitize=${UMBRA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
add_link_options(-fsanitize=${UMBRA_SANITIZE})
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-Wno-maybe-uninitialized)  # the instrumentation hides from GCC what std::regex has set
endif()
add_library(umbra_sanitizer STATIC ${PROJECT_SOURCE_DIR}/cmake/sanitizer_options.cpp)
link_libraries(umbra_sanitizer)  # every target from here on
foreach(symbol asan_default_options lsan_default_suppressions ubsan_default_options tsan_default_options)
  add_link_options(LINKER:-u,__${symbol})  # the sanitizers look for them weakly, which alone takes nothing from an archive
endforeach()

# ThreadSanitizer sees no lock or barrier inside an OpenMP library, so it would call every fork and join a race. LLVM's
# OpenMP library tells it about them through Archer; GCC's has no such thing.
if(UMBRA_SANITIZE MATCHES thread)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  if(OpenMP_omp_LIBRARY)
    get_filename_component(openmp_library ${OpenMP_omp_LIBRARY} REALPATH)
    get_filename_component(openmp_directory ${openmp_library} DIRECTORY)
  endif()
  find_library(UMBRA_ARCHER archer HINTS ${openmp_directory})
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang OR NOT UMBRA_ARCHER)
    message(FATAL_ERROR "umbra: UMBRA_SANITIZE=thread needs Clang and LLVM's OpenMP library with Archer (packages clang and "
                        "libomp-dev); with another OpenMP library every loop would be called a race")
  endif()
  target_link_libraries(umbra_sanitizer INTERFACE -Wl,--push-state,--no-as-needed ${UMBRA_ARCHER} -Wl,--pop-state)
endif()
