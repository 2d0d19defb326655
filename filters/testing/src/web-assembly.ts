/**
 * The part of JavaScript's WebAssembly that is used here. TypeScript has these types only in the library for browsers.
 */
interface Engine {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    imports(module: WasmModule): readonly { readonly module: string; readonly name: string; readonly kind: string }[];
    exports(module: WasmModule): readonly { readonly name: string; readonly kind: string }[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: WasmExports };
  readonly Memory: new (limits: { readonly initial: number; readonly maximum?: number }) => WasmMemory;
  readonly RuntimeError: new (message: string) => Error;
}

declare const compiled: unique symbol;
export interface WasmModule {
  readonly [compiled]: true;
}

export interface WasmMemory {
  /** A new buffer each time that the memory grows. */
  readonly buffer: ArrayBuffer;
}

export type WasmExports = Readonly<Record<string, unknown>>;

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };
