# The plugin for GPUs, src/cuda: what needs CUDA and NCCL to be compiled. The program loads it while
# it runs, so that one build serves machines with a GPU and without; what it must be built from is a
# toolkit's headers and NCCL's, and where those are missing it is left out.
set(SIGHTLINE_CUDA AUTO CACHE STRING "the plugin for GPUs: AUTO (where it can be built), ON or OFF")
set_property(CACHE SIGHTLINE_CUDA PROPERTY STRINGS AUTO ON OFF)
set(SIGHTLINE_CUDA_HOME "" CACHE PATH
  "the CUDA toolkit, or the folder nvidia/cu13 that holds the headers of NVIDIA's Python packages")
# What LibTorch is built with. Of NCCL the minor version counts too: c10d's options hold a struct of
# NCCL's, which grows with it, and LibTorch has compiled their constructor.
set(cuda_version 13)
set(nccl_version 2.28)

set(cuda_missing)
if(SIGHTLINE_CUDA_HOME)
  set(cuda_home "${SIGHTLINE_CUDA_HOME}")
else()
  # The packages beside LibTorch first, where they are complete: they are of its own version.
  find_path(cuda_home NAMES include/crt/host_defines.h NO_CACHE NO_DEFAULT_PATH
    PATHS "${SIGHTLINE_TORCH}/../nvidia/cu13" ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda /opt/cuda)
endif()
string(REGEX REPLACE "/$" "" cuda_home "${cuda_home}")
set(cuda_include "${cuda_home}/include")

# `version`: of the header, from the #define lines that name it.
function(read_version header names version)
  set(numbers)
  foreach(name IN LISTS names)
    file(STRINGS "${header}" line REGEX "^#define ${name} +[0-9]+" LIMIT_COUNT 1)
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND numbers "${number}")
  endforeach()
  list(JOIN numbers "." text)
  set(${version} "${text}" PARENT_SCOPE)
endfunction()

if(NOT EXISTS "${SIGHTLINE_TORCH}/lib/libtorch_cuda.so")
  list(APPEND cuda_missing "a LibTorch with libtorch_cuda.so")
endif()
if(cuda_home)
  foreach(header cuda_runtime_api.h crt/host_defines.h cublas_v2.h cusparse.h cusolverDn.h)
    if(NOT EXISTS "${cuda_include}/${header}")
      list(APPEND cuda_missing "${header} of CUDA ${cuda_version}")
    endif()
  endforeach()
  if(NOT EXISTS "${cuda_include}/nv/target" AND NOT EXISTS "${cuda_include}/cccl/nv/target")
    list(APPEND cuda_missing "nv/target of CUDA ${cuda_version}'s CCCL")
  endif()
else()
  list(APPEND cuda_missing "a toolkit of CUDA ${cuda_version}")
endif()
if(EXISTS "${cuda_include}/cuda_runtime_api.h")
  read_version("${cuda_include}/cuda_runtime_api.h" CUDART_VERSION found)
  if(NOT found MATCHES "^${cuda_version}[0-9][0-9][0-9]$")
    list(APPEND cuda_missing "CUDA ${cuda_version} (CUDART_VERSION is ${found} in ${cuda_include})")
  endif()
endif()
find_library(cuda_runtime NO_CACHE NAMES libcudart.so.${cuda_version} NAMES_PER_DIR
  HINTS "${SIGHTLINE_TORCH}/../nvidia/cu13/lib" "${cuda_home}/lib64" "${cuda_home}/lib")
if(NOT cuda_runtime)
  list(APPEND cuda_missing "libcudart.so.${cuda_version}")
endif()
find_path(nccl_include nccl.h NO_CACHE
  HINTS "${cuda_include}" "${cuda_home}/../nccl/include" "${SIGHTLINE_TORCH}/../nvidia/nccl/include")
if(nccl_include)
  read_version("${nccl_include}/nccl.h" "NCCL_MAJOR;NCCL_MINOR" found)
  if(NOT found STREQUAL nccl_version)
    list(APPEND cuda_missing "nccl.h of NCCL ${nccl_version} (${nccl_include} has ${found})")
  endif()
else()
  list(APPEND cuda_missing "nccl.h of NCCL ${nccl_version}")
endif()

list(JOIN cuda_missing ", " cuda_missing)
if(NOT SIGHTLINE_CUDA)
  message(STATUS "GPUs: no plugin, as SIGHTLINE_CUDA is OFF")
  return()
elseif(cuda_missing AND SIGHTLINE_CUDA STREQUAL "AUTO")
  message(STATUS "GPUs: no plugin, for want of ${cuda_missing}")
  return()
elseif(cuda_missing)
  message(FATAL_ERROR "SIGHTLINE_CUDA is ON, but there is no ${cuda_missing}. Install them, or set "
                      "SIGHTLINE_CUDA_HOME to where they are")
endif()
find_program(nvcc NO_CACHE NO_DEFAULT_PATH NAMES nvcc PATHS "${cuda_home}/bin")
if(nvcc)
  message(STATUS "GPUs: the plugin is built with ${cuda_home}")
else()
  message(STATUS "GPUs: the plugin is built with ${cuda_home}, without kernels for want of nvcc")
endif()

file(GLOB sources CONFIGURE_DEPENDS "src/cuda/*.cpp")
if(NOT nvcc)
  list(FILTER sources EXCLUDE REGEX "/kernel_table\\.cpp$")
endif()
add_library(sightline_cuda MODULE ${sources})
set_target_properties(sightline_cuda PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
target_include_directories(sightline_cuda PRIVATE src)
# cccl is where a toolkit has the headers of CUDA's own C++ library.
target_include_directories(sightline_cuda SYSTEM PRIVATE
  "${cuda_include}" "${cuda_include}/cccl" "${nccl_include}")
target_compile_definitions(sightline_cuda PRIVATE USE_C10D_NCCL)
target_link_libraries(sightline_cuda PRIVATE c10d_engine torch_engine warnings
  "${SIGHTLINE_TORCH}/lib/libtorch_cuda.so" "${SIGHTLINE_TORCH}/lib/libc10_cuda.so"
  "${cuda_runtime}")
# Nothing of ours may be missing; what LibTorch's own libraries need may be, on this machine.
target_link_options(sightline_cuda PRIVATE "-Wl,-z,defs" "-Wl,--allow-shlib-undefined")

# The kernels: for the A100's and the H100's generations, and in a form that later ones translate for
# themselves. NVIDIA's compiler does not take the options that come with LibTorch, which they do not
# see.
if(nvcc)
  set(CMAKE_CUDA_COMPILER "${nvcc}")
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc has it
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  file(GLOB kernels CONFIGURE_DEPENDS "src/cuda/*.cu")
  add_library(cuda_kernels OBJECT ${kernels})
  set_target_properties(cuda_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(cuda_kernels PRIVATE src)
  target_compile_options(cuda_kernels PRIVATE -Werror=all-warnings -Xcompiler=-Wall,-Wextra)
  target_sources(sightline_cuda PRIVATE $<TARGET_OBJECTS:cuda_kernels>)
  # CUDA's runtime is the one that LibTorch has loaded, linked above.
  set_target_properties(sightline_cuda PROPERTIES LINKER_LANGUAGE CXX CUDA_RUNTIME_LIBRARY None)
endif()
