import { readFile } from "node:fs/promises";

/** Writes the yardstick's configuration into a server, as the documents of an operator. See bench/README.md. */
const [file = "", admin = ""] = process.argv.slice(2);

interface Fixture {
  readonly clusters: readonly { readonly name: string; readonly connect_timeout: string }[];
  readonly endpoints: readonly {
    readonly cluster_name: string;
    readonly endpoints: readonly { readonly lb_endpoints: readonly FixtureEndpoint[] }[];
  }[];
  readonly routes: readonly { readonly virtual_hosts: readonly { readonly routes: readonly FixtureRoute[] }[] }[];
}

interface FixtureEndpoint {
  readonly endpoint: { readonly address: { readonly socket_address: { address: string; port_value: number } } };
  readonly load_balancing_weight: number;
}

interface FixtureRoute {
  readonly match: { readonly prefix: string };
  readonly route: { readonly cluster: string; readonly prefix_rewrite: string; readonly timeout: string };
}

const fixture = JSON.parse(await readFile(file, "utf8")) as Fixture;
const clusters = fixture.clusters.map(({ name, connect_timeout: connectTimeout }) => ({
  kind: "Cluster",
  name,
  spec: { eds: {}, connectTimeout, lbPolicy: "ROUND_ROBIN" },
}));
const endpoints = fixture.endpoints.map(({ cluster_name: name, endpoints }) => ({
  kind: "Endpoints",
  name,
  spec: {
    endpoints: endpoints.flatMap(({ lb_endpoints }) =>
      lb_endpoints.map(({ endpoint, load_balancing_weight: weight }) => {
        const { address, port_value: port } = endpoint.address.socket_address;
        return { address, port, weight };
      }),
    ),
  },
}));
const routes = fixture.routes
  .flatMap(({ virtual_hosts }) => virtual_hosts.flatMap(({ routes }) => routes))
  .map(({ match, route }, index) => ({
    kind: "Route",
    name: `r-${index}`,
    spec: {
      hosts: [`s-${index}`],
      routes: [{ match, cluster: route.cluster, rewrite: { prefix: route.prefix_rewrite }, timeout: route.timeout }],
    },
  }));
const listener = {
  kind: "Listener",
  name: "ingress",
  spec: { port: 18080, http: { routes: routes.map(({ name }) => name) } },
};

const answer = await fetch(`http://${admin}/api/v1/mesh`, {
  method: "PUT",
  headers: { "content-type": "application/json" },
  body: JSON.stringify([...clusters, ...endpoints, ...routes, listener]),
});
if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
