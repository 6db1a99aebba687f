# Headers take most of a file's compile time, LibTorch's before all: they are parsed once a kind of
# target, and not in each of some five hundred files. A file must still name what it uses: with
# -DSIGHTLINE_PRECOMPILED=OFF each is compiled by itself.
option(SIGHTLINE_PRECOMPILED "parse other libraries' headers once for all files" ON)

file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/precompiled.cpp" CONTENT
  "// The precompiled headers' own file.\n")

# precompiled_headers(<name> LINKS <what the targets link> HEADERS <...>)
function(precompiled_headers name)
  cmake_parse_arguments(PARSE_ARGV 1 given "" "" "LINKS;HEADERS")
  if(NOT SIGHTLINE_PRECOMPILED)
    return()
  endif()
  add_library(${name} OBJECT "${CMAKE_BINARY_DIR}/precompiled.cpp")
  target_link_libraries(${name} PRIVATE Threads::Threads warnings ${given_LINKS})
  target_precompile_headers(${name} PRIVATE ${given_HEADERS})
  target_compile_options(${name} PRIVATE -fpch-preprocess)  # as ccache asks
endfunction()

# The target's files begin with those headers.
function(use_precompiled target name)
  if(SIGHTLINE_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM ${name})
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()
