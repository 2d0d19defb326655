import { registerHooks } from "node:module";

/**
 * Loaded before a filter's tests: they import the toolkit's packages, wherever the filter lies, from the toolkit that runs them, so
 * that library, compiler and test host are of one version and nothing is installed in the filter's folder.
 */
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith("@chancery/")
      ? next(specifier, { ...context, parentURL: import.meta.url })
      : next(specifier, context),
});
