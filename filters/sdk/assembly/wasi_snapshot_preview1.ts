// The WASI functions that filters need and Envoy has. They are imported from the module that this file names. 0 is
// success.

export declare function clock_time_get(clock: u32, precision: u64, nanoseconds: usize): u32;
export declare function random_get(buffer: usize, size: usize): u32;
export declare function environ_sizes_get(count: usize, size: usize): u32;
export declare function environ_get(pointers: usize, text: usize): u32;
