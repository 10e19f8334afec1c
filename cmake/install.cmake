# Installs umbra for other programs: one archive, libumbra.a, with every layer and the kernels of the device, and the public
# headers. find_package(umbra) provides the target umbra::umbra; the pkg-config package is called umbra. Headers are included
# by their paths in this tree, e.g. "engine/train/loader.h".
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(umbra STATIC)
set_target_properties(umbra PROPERTIES LINKER_LANGUAGE CXX)
target_compile_features(umbra PUBLIC cxx_std_20)
set(layers runtime cpu dist ops registry device tensor grad nn optim models forest)
if(UMBRA_HAS_FILES)
  list(APPEND layers plain_files published_tables io train data tasks)
endif()
foreach(layer ${layers})
  if(TARGET umbra_${layer})
    get_target_property(type umbra_${layer} TYPE)
    if(NOT type STREQUAL INTERFACE_LIBRARY)
      target_sources(umbra PRIVATE $<TARGET_OBJECTS:umbra_${layer}>)
    endif()
  endif()
endforeach()
target_include_directories(umbra PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/umbra>)
target_link_libraries(umbra PUBLIC OpenMP::OpenMP_CXX Threads::Threads PRIVATE PkgConfig::HWY)
# Further dependencies for pkg-config: packages, and libraries that have no package.
set(pc_requires libhwy)
set(pc_libraries "${OpenMP_CXX_FLAGS} -pthread")
if(UMBRA_HAS_MPI)
  target_link_libraries(umbra PRIVATE MPI::MPI_C)
  list(JOIN MPI_C_LIBRARIES " " mpi_libraries)
  string(APPEND pc_libraries " ${mpi_libraries}")
endif()
if(UMBRA_HAS_FILES)
  target_link_libraries(umbra PRIVATE hdf5::hdf5 ZLIB::ZLIB PkgConfig::FFTW nlohmann_json::nlohmann_json
                        tomlplusplus::tomlplusplus)
  list(APPEND pc_requires zlib fftw3f tomlplusplus)
  if(UMBRA_HAS_FITS)
    target_link_libraries(umbra PRIVATE PkgConfig::CFITSIO)
    list(APPEND pc_requires cfitsio)
  endif()
  if(UMBRA_HAS_IMAGES)
    target_link_libraries(umbra PRIVATE PkgConfig::JPEG PkgConfig::PNG)
    list(APPEND pc_requires libjpeg libpng)
  endif()
  list(JOIN HDF5_C_LIBRARIES " " hdf5_libraries)
  string(APPEND pc_libraries " ${hdf5_libraries}")
endif()
if(UMBRA_HAS_CUDA)
  target_link_libraries(umbra PRIVATE CUDA::cudart_static)
  string(APPEND pc_libraries " -L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -ldl -lrt -lpthread")
endif()
list(JOIN pc_requires " " pc_requires)

install(TARGETS umbra EXPORT umbra-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT umbra-targets NAMESPACE umbra:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/umbra)

# The public headers, and the headers of lower layers that they include.
set(headers engine/tensor engine/grad engine/nn engine/optim models engine/base engine/runtime engine/registry
    engine/dist engine/cpu/cholesky.h engine/cpu/parallel.h engine/ops/op.h engine/ops/kernel.h engine/ops/conv/op.h
    engine/ops/conv/geometry.h engine/ops/conv/packed_weights.h engine/ops/loss/reduction.h
    engine/ops/reduce/reduce_axes.h)
if(UMBRA_HAS_FILES)
  list(APPEND headers engine/io engine/train data)
endif()
foreach(path ${headers})
  get_filename_component(parent ${path} DIRECTORY)
  set(destination ${CMAKE_INSTALL_INCLUDEDIR}/umbra/${parent})
  if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/${path})
    install(DIRECTORY ${path} DESTINATION ${destination} FILES_MATCHING PATTERN *.h
            PATTERN *_internal.h EXCLUDE PATTERN grad/functions EXCLUDE)
  else()
    install(FILES ${path} DESTINATION ${destination})
  endif()
endforeach()

set(package ${PROJECT_BINARY_DIR}/package)
file(RELATIVE_PATH pc_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)  # so that an installation can be moved
configure_package_config_file(cmake/umbra-config.cmake.in ${package}/umbra-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/umbra)
write_basic_package_version_file(${package}/umbra-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/umbra.pc.in ${package}/umbra.pc @ONLY)
install(FILES ${package}/umbra-config.cmake ${package}/umbra-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/umbra)
install(FILES ${package}/umbra.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
