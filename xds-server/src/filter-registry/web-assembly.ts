/** The types of the used part of JavaScript's WebAssembly. TypeScript has them only together with a browser's types. */
interface Engine {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    imports(module: WasmModule): readonly { readonly module: string; readonly name: string }[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: WasmExports };
  readonly Memory: new (limits: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly CompileError: new (message: string) => Error;
  compile(bytes: Uint8Array): Promise<WasmModule>;
}

declare const compiled: unique symbol;
export interface WasmModule {
  readonly [compiled]: true;
}

export type WasmExports = Readonly<Record<string, unknown>>;

export const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Engine };
