# add_qcc_library(NAME sources... [DEPENDS ...] [LINK_LIBS own...] [UPSTREAM mlir...])
#
# Own libraries and upstream ones are linked by different means: naming an
# upstream library in LINK_LIBS would link its archive beside libMLIR.so.
function(add_qcc_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK_LIBS;UPSTREAM" ${ARGN})
  add_mlir_library(${name} ${ARG_UNPARSED_ARGUMENTS}
    EXCLUDE_FROM_LIBMLIR
    DISABLE_INSTALL
    DEPENDS ${ARG_DEPENDS}
    LINK_LIBS PUBLIC ${ARG_LINK_LIBS})
  mlir_target_link_libraries(${name} PUBLIC MLIRIR ${ARG_UPSTREAM})
endfunction()

# add_qcc_tool(NAME sources... [LINK_LIBS own...] [UPSTREAM mlir...])
function(add_qcc_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS;UPSTREAM" ${ARGN})
  set(LLVM_LINK_COMPONENTS Support)
  add_llvm_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  llvm_update_compile_flags(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS})
  mlir_target_link_libraries(${name} PRIVATE MLIRIR ${ARG_UPSTREAM})
endfunction()
