# Doxygen's filter for headers. Line numbers stay as they are, for Doxygen's messages.
# The comment at the head of a file becomes the text of the file's page, as it is written.
1,/^#pragma once/{
  s/\*\//* \//g
  s/^\/\/ ?//
  1s/^/\/** \\file\n\\verbatim /
  s/^#pragma once/\\endverbatim *\//
}
/^\\endverbatim/{
  n
  d
}
