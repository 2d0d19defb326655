/** The part of JavaScript's WebAssembly that is used here: TypeScript has its types only together with a browser's. */
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
  /** Another one each time that the memory grows. */
  readonly buffer: ArrayBuffer;
}

export type WasmExports = Readonly<Record<string, unknown>>;

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };
