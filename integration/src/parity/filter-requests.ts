import type { Choices } from "../harness/random-choices.ts";
import type { Case } from "./scripts.ts";

/** A request of the kind that the tested configurations of the shipped filters match. */
export function randomRequest(choose: Choices, id: number): Case {
  const maybe = (name: string, values: readonly string[]) => perhaps(choose, name, values);
  const chunks = choose.one([[], [], ["hello"], ["one", "two"]]);
  const headers = [
    [":authority", "localhost"],
    [
      ":path",
      choose.one([
        "/health",
        "/health?deep=1",
        "/health?x&deep+level=%C3%A91",
        "/shop/cart",
        "/shop",
        "/admin/users",
        "/other",
        "/",
      ]),
    ],
    [":method", choose.one(["GET", "HEAD", "POST", "DELETE"])],
    [":scheme", "http"],
    ...maybe("x-debug", ["", "1"]),
    ...maybe("x-api-key", ["sésame", "sesame"]),
    ...maybe("user-agent", ["bot/1", "curl"]),
  ] as const;
  const status = choose.one([200, 302, 404, 500]);
  const answer = { headers: [["x-answer", "1"]] as const, chunks: ["served"], trailers: undefined };
  const request = { headers, chunks, trailers: undefined };
  return { id, script: {}, request, response: { ...answer, status }, callAnswer: { ...answer, status } };
}

/** A request whose credential is its own number or an earlier one. The number selects the answer to the call. */
export function randomExchange(choose: Choices, id: number): Case {
  const { request, response, ...rest } = randomRequest(choose, id);
  const credential = choose.one([[], [id], [Math.max(1, id - 1)], [1 + choose.below(id)]]);
  const forged = choose.one([[], [], [["x-user", "root"] as const]]);
  const headers = [...request.headers, ...credential.map((number) => ["x-call", String(number)] as const), ...forged];
  const kept = choose.one([[], [["cache-control", "no-store"] as const]]);
  const answer = choose.one([[["x-answer", String(id)] as const], [["x-answer", String(id)] as const], []]);
  const callAnswer = { status: choose.one([200, 200, 200, 401, 403, 500]), headers: [...kept, ...answer] };
  return {
    ...rest,
    request: { ...request, headers },
    response,
    callAnswer: { ...callAnswer, chunks: ["answered"], trailers: undefined },
  };
}

/** A request and a response with bodies that are good, bad, large or in pieces, with and without trailers. */
export function randomBodies(choose: Choices, id: number): Case {
  const maybe = (name: string, values: readonly string[]) => perhaps(choose, name, values);
  const bodies = [
    '{"a":1}',
    '{"a":"é","b":"12345"}',
    '[{"a":1},2]',
    "{",
    '{"a":1}}',
    '{"a":1,"a":2}',
    " ".repeat(50),
    "",
    "{}",
  ];
  const pieces = (text: string): readonly string[] => {
    if (choose.chance(0.5)) return text === "" ? [] : [text];
    const size = 1 + choose.below(8);
    const characters = [...text];
    return Array.from({ length: Math.ceil(characters.length / size) }, (_, at) =>
      characters.slice(at * size, (at + 1) * size).join(""),
    );
  };
  const message = (headers: readonly (readonly [string, string])[]) => ({
    headers: [
      ...headers,
      ...(choose.chance(0.8)
        ? [["content-type", choose.one(["application/json", "application/a+json;x=1"])] as const]
        : []),
      ...maybe("content-encoding", ["gzip", "identity"]),
      ...maybe("etag", ['"1"']),
    ],
    chunks: pieces(choose.one(bodies)),
    trailers: choose.chance(0.2) ? [["x-end", "1"] as const, ...maybe("digest", ["d"])] : undefined,
  });
  const request = message([
    [":authority", "localhost"],
    [":path", choose.one(["/shop/cart", "/health", "/other"])],
    [":method", choose.one(["POST", "POST", "PUT", "GET"])],
    [":scheme", "http"],
    ...maybe("accept-encoding", ["gzip"]),
    ...maybe("range", ["bytes=0-1"]),
  ]);
  const response = { ...message([["x-answer", "1"]]), status: choose.one([200, 200, 206, 404]) };
  return { id, script: {}, request, response, callAnswer: response };
}

/** A header in three of ten cases. */
function perhaps(choose: Choices, name: string, values: readonly string[]) {
  return choose.chance(0.3) ? [[name, choose.one(values)] as const] : [];
}
