# cmake -DINPUT=file -DOUTPUT=file.inc -P EmbedBinary.cmake: the bytes of a file
# as a list of numbers, for an array's initializer.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "${bytes}\n")
