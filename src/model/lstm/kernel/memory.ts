// The kernel is configured once per training run and freed with its instance, so nothing is ever given back.

/** `bytes` of zeroed memory, aligned for v128 (the stub runtime bumps through fresh pages, 16 bytes aligned). */
export function reserve(bytes: usize): usize {
  return heap.alloc(bytes);
}

/** Room for `count` float32 values. */
export function reserveFloats(count: i32): usize {
  return reserve(<usize>count << 2);
}
