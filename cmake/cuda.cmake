# umbra_device: objects that every program links: the CUDA runtime, all kernels and NCCL or, without the CUDA Toolkit or NCCL,
# the files that report their absence.
if(NOT UMBRA_HAS_CUDA)
  add_library(umbra_device OBJECT engine/runtime/cuda_absent.cpp engine/ops/cuda_ladder_absent.cpp engine/dist/nccl_absent.cpp)
  target_link_libraries(umbra_device PUBLIC umbra_registry)
  return()
endif()

file(GLOB UMBRA_CUDA_KERNELS CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/engine/ops/*/*.cu ${PROJECT_SOURCE_DIR}/engine/cuda/tile/*.cu)

# Machine code for Hopper, and PTX, which the driver compiles for any card from compute capability 8.0 on.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-virtual 90a-real)
endif()
set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake before 3.26 does not know that nvcc 12 and later have C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()

add_library(umbra_device OBJECT engine/runtime/cuda_runtime.cpp engine/ops/cuda_ladder.cpp ${UMBRA_CUDA_KERNELS})
# PRIVATE: programs link the runtime but are compiled as they are without CUDA, so that a compiler cache serves both builds.
target_link_libraries(umbra_device PUBLIC umbra_registry PRIVATE CUDA::cudart_static)
# Kernels call host constexpr functions (index maps, Philox). With UMBRA_WERROR spills and warnings stop the build. ptxas'
# report of registers and memory is kept next to the objects, where tests/cuda/budget_test.cpp reads it.
function(umbra_compile_kernels target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/engine/cuda/device)  # nvcc's cuda_grid.h
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr;-Xptxas=-v,-warn-spills;\
-Xcompiler=-Wall,-Wextra,-ffp-contract=off>")  # as all other host code: plans decide the order of sums
  if(UMBRA_WERROR)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xptxas=-Werror;\
-Xcompiler=-Werror>")
  endif()
  set(launcher bash ${PROJECT_SOURCE_DIR}/cmake/ptxas_log.sh ${CMAKE_CUDA_COMPILER_LAUNCHER})
  set_target_properties(${target} PROPERTIES CUDA_COMPILER_LAUNCHER "${launcher}")
endfunction()
umbra_compile_kernels(umbra_device)

if(UMBRA_HAS_NCCL)
  # nccl_libraries.h: the loader's search, which LD_LIBRARY_PATH changes, before the library that was found here.
  set(UMBRA_NCCL_LIBRARIES "\"libnccl.so.2\"")
  if(UMBRA_NCCL_LIBRARY)
    string(APPEND UMBRA_NCCL_LIBRARIES ", \"${UMBRA_NCCL_LIBRARY}\"")
  endif()
  configure_file(cmake/nccl_libraries.h.in ${PROJECT_BINARY_DIR}/nccl/nccl_libraries.h @ONLY)
  target_sources(umbra_device PRIVATE engine/dist/nccl.cpp)
  target_include_directories(umbra_device PRIVATE ${PROJECT_BINARY_DIR}/nccl)
  target_include_directories(umbra_device SYSTEM PRIVATE ${UMBRA_NCCL_INCLUDE})
  target_link_libraries(umbra_device PUBLIC ${CMAKE_DL_LIBS})
else()
  target_sources(umbra_device PRIVATE engine/dist/nccl_absent.cpp)
endif()
