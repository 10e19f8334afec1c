# The target `docs`: Doxygen (1.9.4 or later) over the public headers and the Markdown pages, into build/docs/html. It is
# not part of `all`. Every warning fails it, and so does a public name without a comment.
find_program(UMBRA_DOXYGEN doxygen)
find_program(UMBRA_SED sed)
mark_as_advanced(UMBRA_DOXYGEN UMBRA_SED)

function(umbra_docs)
  if(NOT UMBRA_DOXYGEN OR NOT UMBRA_SED)
    add_custom_target(docs
      COMMAND ${CMAKE_COMMAND} -E echo "umbra: the documentation needs the programs doxygen (package doxygen) and sed"
      COMMAND ${CMAKE_COMMAND} -E false
      VERBATIM)
    return()
  endif()
  set(root ${PROJECT_SOURCE_DIR})
  file(GLOB pages CONFIGURE_DEPENDS ${root}/*.md ${root}/docs/*.md)
  file(GLOB_RECURSE readmes CONFIGURE_DEPENDS ${root}/engine/README.md ${root}/models/README.md ${root}/data/README.md
       ${root}/tools/README.md ${root}/bench/README.md ${root}/tests/README.md)
  set(inputs ${root}/docs/umbra.dox ${pages} ${readmes})
  foreach(folder engine/tensor engine/grad engine/nn engine/optim engine/io engine/train models data)
    list(APPEND inputs ${root}/${folder})
  endforeach()
  list(TRANSFORM inputs REPLACE "(.+)" "\"\\1\"")
  string(REPLACE ";" " \\\n                         " UMBRA_DOCS_INPUT "${inputs}")
  set(UMBRA_DOCS_OUTPUT ${PROJECT_BINARY_DIR}/docs)
  configure_file(${root}/docs/Doxyfile.in ${UMBRA_DOCS_OUTPUT}/Doxyfile @ONLY)
  add_custom_target(docs
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${UMBRA_DOCS_OUTPUT}/html ${UMBRA_DOCS_OUTPUT}/xml
    COMMAND ${UMBRA_DOXYGEN} ${UMBRA_DOCS_OUTPUT}/Doxyfile
    COMMAND ${CMAKE_COMMAND} -D XML=${UMBRA_DOCS_OUTPUT}/xml -P ${root}/docs/check_enum_values.cmake
    WORKING_DIRECTORY ${root}
    COMMENT "Documentation: ${UMBRA_DOCS_OUTPUT}/html/index.html"
    VERBATIM)
endfunction()
umbra_docs()
