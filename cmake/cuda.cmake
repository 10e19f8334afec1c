# umbra_device: objects that every program links: the CUDA runtime and all kernels or, without the CUDA Toolkit, the two
# files that report the absence of CUDA.
if(NOT UMBRA_HAS_CUDA)
  add_library(umbra_device OBJECT engine/runtime/cuda_absent.cpp engine/ops/cuda_ladder_absent.cpp)
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
-Xcompiler=-Wall,-Wextra>")
  if(UMBRA_WERROR)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xptxas=-Werror;\
-Xcompiler=-Werror>")
  endif()
  set(launcher bash ${PROJECT_SOURCE_DIR}/cmake/ptxas_log.sh ${CMAKE_CUDA_COMPILER_LAUNCHER})
  set_target_properties(${target} PROPERTIES CUDA_COMPILER_LAUNCHER "${launcher}")
endfunction()
umbra_compile_kernels(umbra_device)
