# LibTorch as an imported target of our own: find_package(Torch) insists on a CUDA toolkit.
# SIGHTLINE_TORCH is the folder of an installed `torch` Python package (with lib/ and include/).
if(NOT SIGHTLINE_TORCH)
  set(SIGHTLINE_TORCH "${CMAKE_SOURCE_DIR}/.deps/python/torch")
endif()
if(NOT EXISTS "${SIGHTLINE_TORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "no LibTorch at ${SIGHTLINE_TORCH}: run ./dev build, or set SIGHTLINE_TORCH to "
                      "the folder of an installed torch ${SIGHTLINE_TORCH_VERSION} package")
endif()

add_library(torch_engine INTERFACE)
target_include_directories(torch_engine SYSTEM INTERFACE "${SIGHTLINE_TORCH}/include")
target_compile_definitions(torch_engine INTERFACE AT_PER_OPERATOR_HEADERS)
target_link_libraries(torch_engine INTERFACE
  "${SIGHTLINE_TORCH}/lib/libtorch_cpu.so" "${SIGHTLINE_TORCH}/lib/libc10.so")
target_link_options(torch_engine INTERFACE "-Wl,-rpath,${SIGHTLINE_TORCH}/lib")

# at::parallel_for runs on one thread in a file compiled without OpenMP. The library is the one that
# LibTorch itself loads: two in one process would be two pools of threads.
file(GLOB gomp "${SIGHTLINE_TORCH}/lib/libgomp*.so*" "${SIGHTLINE_TORCH}/../torch.libs/libgomp*.so*")
if(gomp)
  list(GET gomp 0 gomp)
else()
  set(gomp gomp)
endif()
target_compile_options(torch_engine INTERFACE -fopenmp)
target_link_libraries(torch_engine INTERFACE "${gomp}")

# c10d over Gloo: its code is in LibTorch, Gloo's headers are Debian's.
add_library(c10d_engine INTERFACE)
target_include_directories(c10d_engine SYSTEM INTERFACE
  "${SIGHTLINE_TORCH}/include/torch/csrc/api/include")
target_compile_definitions(c10d_engine INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)

# fmt's headers come from the wheel for every folder: Debian's are shadowed by them wherever LibTorch
# is seen. What of it is no template is compiled in src/base/fmt.cpp. The link keeps the rest of the
# wheel's headers out of the torch-free folders. It lies outside the build folder, so that ccache
# serves several build folders of one checkout.
set(fmt_only "${CMAKE_SOURCE_DIR}/.deps/fmt_only")
file(MAKE_DIRECTORY "${fmt_only}")
file(CREATE_LINK "${SIGHTLINE_TORCH}/include/fmt" "${fmt_only}/fmt" SYMBOLIC)
add_library(fmt_engine INTERFACE)
target_include_directories(fmt_engine SYSTEM INTERFACE "${fmt_only}")
