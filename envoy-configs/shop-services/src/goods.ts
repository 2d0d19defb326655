export interface Good {
  readonly name: string;
  readonly cents: number;
  /** How many are in the cart. */
  readonly count?: number;
  /** What only the second version of the cart says. */
  readonly totalCents?: number;
}

const catalog: readonly Good[] = [
  { name: "sealing wax", cents: 450 },
  { name: "goose quill", cents: 120 },
  { name: "letter case", cents: 2900 },
];

const cart = [
  { name: "sealing wax", cents: 450, count: 2 },
  { name: "goose quill", cents: 120, count: 5 },
] as const satisfies readonly Good[];

/** What a service of the shop has to show. The second version of the cart says totals as well. */
export function goods(service: string, version: string): readonly Good[] {
  if (service !== "cart") return catalog;
  return version === "v1" ? cart : cart.map((good) => ({ ...good, totalCents: good.cents * good.count }));
}
