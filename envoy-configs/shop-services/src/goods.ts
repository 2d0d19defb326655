export interface Good {
  readonly name: string;
  readonly cents: number;
  /** The number in the cart. */
  readonly count?: number;
  /** Only in the second version of the cart. */
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

/** The goods of a service. The second version of the cart also has totals. */
export function goods(service: string, version: string): readonly Good[] {
  if (service !== "cart") return catalog;
  return version === "v1" ? cart : cart.map((good) => ({ ...good, totalCents: good.cents * good.count }));
}
