# qcc_add_model(NAME MODEL.onnx [SHARED] [PREFIX symbols_] [TARGET x86-64]
#               [CALIBRATION samples.npz] [OPTIONS ...] [DEPENDS ...])
#
# Makes a library NAME of the model: a static one, or with SHARED a shared one.
# Whoever links it may include "NAME.h". Paths are relative to the current
# source folder. PREFIX (default: NAME_) begins the exported symbols, so that
# several models fit in one program.
function(qcc_add_model name model)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "SHARED" "PREFIX;TARGET;CALIBRATION"
    "OPTIONS;DEPENDS")
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "qcc_add_model: unknown ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  cmake_path(ABSOLUTE_PATH model BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT DEFINED ARG_PREFIX)
    string(MAKE_C_IDENTIFIER "${name}_" ARG_PREFIX)
  endif()
  set(options -prefix=${ARG_PREFIX} -emit-header ${ARG_OPTIONS})
  set(inputs ${model} ${ARG_DEPENDS})
  if(ARG_TARGET)
    list(APPEND options -target=${ARG_TARGET})
  endif()
  if(ARG_CALIBRATION)
    cmake_path(ABSOLUTE_PATH ARG_CALIBRATION
      BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND options -calib=${ARG_CALIBRATION})
    list(APPEND inputs ${ARG_CALIBRATION})
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.qcc)
  file(MAKE_DIRECTORY ${folder})
  if(ARG_SHARED)
    set(output ${folder}/${CMAKE_SHARED_LIBRARY_PREFIX}${name}.so)
    set(header ${folder}/${CMAKE_SHARED_LIBRARY_PREFIX}${name}.h)
  else()
    set(output ${folder}/${name}.o)
    set(header ${folder}/${name}.h)
  endif()
  add_custom_command(OUTPUT ${output} ${header}
    COMMAND QCC::qcc ${model} -o ${output} ${options}
    DEPENDS ${inputs} QCC::qcc
    COMMENT "Compiling model ${name}" VERBATIM)
  if(ARG_SHARED)
    add_custom_command(OUTPUT ${folder}/${name}.h
      COMMAND ${CMAKE_COMMAND} -E copy ${header} ${folder}/${name}.h
      DEPENDS ${header} VERBATIM)
    add_custom_target(${name}-model DEPENDS ${output} ${folder}/${name}.h)
    add_library(${name} SHARED IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES
      IMPORTED_LOCATION ${output} IMPORTED_NO_SONAME ON)
    target_include_directories(${name} INTERFACE ${folder})
    add_dependencies(${name} ${name}-model)
  else()
    add_library(${name} STATIC ${output} ${header})
    set_source_files_properties(${output} PROPERTIES
      EXTERNAL_OBJECT ON GENERATED ON)
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
    target_include_directories(${name} INTERFACE ${folder})
  endif()
endfunction()
