# Doxygen's filter for Markdown. A link to another page (a .md file) stays, without its anchor, because Doxygen names
# anchors otherwise than code hosts do. Images, and links to source files, folders, anchors and tables of results, become
# their text, as do links to the pages of lessons, which are for pandoc. Formulas are shown as code. Fenced code is left as
# it is.
/^ *```/,/^ *```/b
s/!\[([^]]*)\]\([^)]*\)/\1/g
s/\[([^]]*)\]\([^)]*page\.md\)/\1/g
s/\$([^$]+)\$/`\1`/g
s/\[([^]]*)\]\(([^):]*results\/[^)]*)\)/\1/g
s/\]\(([A-Za-z0-9_.\/-]*\.md)(#[^)]*)?\)/](@\1)/g
s/\[([^]]*)\]\(([^@):][^):]*)\)/\1/g
s/\]\(@/](/g
