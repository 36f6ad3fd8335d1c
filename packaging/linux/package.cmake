# For script/package: the .deb by CPack, and one program for old and new Linux systems.

# The same objects, linked with everything inside but the C library, and that of Debian 11: it needs
# glibc 2.28. What newer headers have put into the objects is in compat.c.
set(CALLREADY_STATIC "" CACHE PATH "What packaging/linux/static-libraries made")
if(CALLREADY_STATIC)
  get_property(rooms GLOBAL PROPERTY CALLREADY_ROOMS)
  list(APPEND rooms callready_keys)
  add_executable(callready_portable EXCLUDE_FROM_ALL $<TARGET_OBJECTS:callready>
                 packaging/linux/compat.c)
  add_dependencies(callready_portable ${rooms})
  set(archives)
  foreach(room ${rooms})
    list(APPEND archives $<TARGET_FILE:${room}>)
  endforeach()
  foreach(name curl pacparser fmt spdlog)
    list(APPEND archives ${CALLREADY_STATIC}/lib/lib${name}.a)
  endforeach()
  foreach(name ssl crypto cares yaml-cpp osip2 osipparser2 utf8proc psl idn2 unistring seccomp crypt)
    list(APPEND archives ${CMAKE_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/lib${name}.a)
  endforeach()
  # Where one changes, the program is linked anew.
  set_target_properties(callready_portable PROPERTIES OUTPUT_NAME portable/callready
    LINK_DEPENDS "${archives}")
  # gcc looks beside itself before it looks into the sysroot.
  set(old ${CALLREADY_STATIC}/sysroot)
  target_link_options(callready_portable PRIVATE
    --sysroot=${old} -B${old}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}
    -L${old}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} -L${old}/lib/${CMAKE_LIBRARY_ARCHITECTURE}
    -Wl,-Map=${CMAKE_BINARY_DIR}/portable.map -static-libstdc++ -static-libgcc -pthread
    -Wl,--gc-sections -Wl,--exclude-libs,ALL -Wl,--wrap=pow -Wl,--wrap=exp -Wl,--wrap=exp2
    -Wl,--wrap=log -Wl,--wrap=log2)
  target_link_libraries(callready_portable PRIVATE
    -Wl,--start-group ${archives} -Wl,--end-group -lresolv -lm -ldl -lpthread -lrt)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME callready)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The callready developers <callready@users.noreply.github.com>")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE https://github.com/callready/callready)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# dpkg-shlibdeps knows the libraries of this system only: script/package names those of another.
if(NOT CMAKE_CROSSCOMPILING)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  # Loaded when they are needed: by the first request, and by the first WebRTC call.
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, libcurl4 | libcurl4t64")
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libnice10)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "tells whether a network lets calls through")
set(CPACK_PACKAGE_DESCRIPTION
    "callready probes what a calling service needs (Teams, Webex, Zoom, SIP\n\
trunks and others): names, proxies, TLS, UDP, STUN and TURN, SIP. It says\n\
which of its uses work from here, names the one cause behind what does\n\
not, whose it is, and what to change.")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/packaging/linux/same_time.cmake)

# Made by script/package from the program itself.
set(made ${CMAKE_SOURCE_DIR}/build/package/made)
install(FILES ${made}/callready.1.gz DESTINATION share/man/man1)
install(FILES ${made}/callready.bash DESTINATION share/bash-completion/completions RENAME callready)
install(FILES ${made}/_callready DESTINATION share/zsh/vendor-completions)
install(FILES ${made}/callready.fish DESTINATION share/fish/vendor_completions.d)
install(FILES ${made}/changelog.gz ${made}/CHANGELOG.md.gz ${CMAKE_SOURCE_DIR}/packaging/linux/copyright
        DESTINATION share/doc/callready)
install(FILES packaging/linux/callready.desktop DESTINATION share/applications)
install(FILES packaging/linux/io.github.callready.callready.metainfo.xml DESTINATION share/metainfo)
install(FILES packaging/linux/callready.svg DESTINATION share/icons/hicolor/scalable/apps)
install(FILES packaging/systemd/callready-check.service packaging/systemd/callready-check.timer
        packaging/systemd/callready-exporter.service DESTINATION lib/systemd/system)
include(CPack)
