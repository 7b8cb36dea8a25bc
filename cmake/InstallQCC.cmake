# cmake --install, find_package(QCC) and cpack.
include(CMakePackageConfigHelpers)

# Debian keeps libMLIR.so beside LLVM's tools, where the loader does not look.
file(RELATIVE_PATH to_libraries /${CMAKE_INSTALL_BINDIR}
  /${CMAKE_INSTALL_LIBDIR})
set_target_properties(qcc qcc-opt qcc-run libqcc PROPERTIES
  INSTALL_RPATH "$ORIGIN;$ORIGIN/${to_libraries};${LLVM_LIBRARY_DIR}")

install(TARGETS qcc qcc-opt qcc-run libqcc EXPORT QCCTargets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/qcc-c DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(FILES include/qcc/Runtime/qcc_runtime.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/qcc/Runtime)
install(FILES LICENSE README.md THIRD_PARTY_NOTICES.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/QCC)
configure_package_config_file(cmake/QCCConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/QCCConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(
  ${CMAKE_CURRENT_BINARY_DIR}/QCCConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(EXPORT QCCTargets NAMESPACE QCC:: DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/QCCConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/QCCConfigVersion.cmake
              cmake/QCCAddModel.cmake
  DESTINATION ${package})

set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_NAME qcc)
set(CPACK_PACKAGE_VENDOR "the qcc project")
set(CPACK_PACKAGE_CONTACT "the qcc project <qcc@localhost>")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${LLVM_LIBRARY_DIR})
include(CPack)
