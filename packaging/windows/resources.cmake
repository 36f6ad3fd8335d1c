# What Windows shows and reads of callready.exe: icon, version, manifest (no elevation, UTF-8).
enable_language(RC)
find_program(ICON_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(icon ${CMAKE_BINARY_DIR}/callready.ico)
add_custom_command(OUTPUT ${icon} COMMAND ${ICON_PYTHON} ${CMAKE_SOURCE_DIR}/packaging/windows/icon.py ${icon}
                   DEPENDS ${CMAKE_SOURCE_DIR}/packaging/windows/icon.py VERBATIM)
configure_file(packaging/windows/callready.manifest ${CMAKE_BINARY_DIR}/callready.manifest @ONLY)
configure_file(packaging/windows/callready.rc.in ${CMAKE_BINARY_DIR}/callready.rc @ONLY)
set_source_files_properties(${CMAKE_BINARY_DIR}/callready.rc PROPERTIES
                            OBJECT_DEPENDS "${icon};${CMAKE_BINARY_DIR}/callready.manifest")
target_sources(callready PRIVATE ${CMAKE_BINARY_DIR}/callready.rc)
