import { registerHooks } from "node:module";

/**
 * Node loads this before the tests of a filter. Their imports of `@chancery/` packages then resolve to the packages of the
 * toolkit that runs them. So the library, the compiler and the test host have the same version, and the filter's folder
 * needs no installed packages.
 */
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("@chancery/")
      ? next(specifier, { ...context, parentURL: import.meta.url })
      : next(specifier, context),
});
