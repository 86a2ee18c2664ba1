# A text file as a C string literal, a line each. A file, since Meson turns a command's backslashes into slashes.
s/[\\"]/\\&/g
s/\t/\\t/g
s/.*/"&\\n"/
