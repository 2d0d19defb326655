import { join } from "./wasm-binary.ts";
import { readModule } from "./wasm-module.ts";
import { functionNames, isCalled, nameSection } from "./wasm-names.ts";

/**
 * Names each exported function of a module by this text. Envoy writes a backtrace only for modules with function names,
 * and these names show which filter trapped. The code before the names keeps its position.
 */
export function signed(wasm: Uint8Array, text: string): Uint8Array {
  const module = readModule(wasm);
  const names = functionNames(module);
  for (const { kind, index } of module.exports) if (kind === 0) names.set(index, text);
  const kept = module.sections.filter(
    (each) => !isCalled(module, each, "name") && !isCalled(module, each, "sourceMappingURL"),
  );
  return join([wasm.subarray(0, 8), ...kept.map(({ start, end }) => wasm.subarray(start, end)), nameSection(names)]);
}
