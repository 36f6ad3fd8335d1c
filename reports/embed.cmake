# cmake -DOUTPUT=FILE.cpp -DSTYLE=style.css -DSCRIPT=script.js -P embed.cmake: writes the page's style
# and script into C++ source as raw string literals, with their hashes (reports/page.hpp).
set(delimiter "callready_page")
function(read_literal file literal hash)
  file(READ "${file}" text)
  string(FIND "${text}" ")${delimiter}\"" clash)
  string(FIND "${text}" "</" closing)
  if(NOT clash EQUAL -1 OR NOT closing EQUAL -1)
    message(FATAL_ERROR "${file} holds what would end it: )${delimiter}\" or </")
  endif()
  string(SHA256 digest "${text}")
  set(${literal} "R\"${delimiter}(${text})${delimiter}\"" PARENT_SCOPE)
  set(${hash} "${digest}" PARENT_SCOPE)
endfunction()
read_literal("${STYLE}" style style_hash)
read_literal("${SCRIPT}" script script_hash)

set(source "// Generated from reports/page by reports/embed.cmake.
#include \"reports/page.hpp\"

namespace callready {

PageSource page_style() {
  return {${style},
          \"${style_hash}\"};
}

PageSource page_script() {
  return {${script},
          \"${script_hash}\"};
}

}  // namespace callready
")
file(WRITE "${OUTPUT}" "${source}")
