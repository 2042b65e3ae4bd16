import { expect, it } from "vitest";
import { joinScopes } from "./scopes.ts";

it.each([
  [["repository:a:pull"], [], ["repository:a:pull"]],
  [["repository:a:pull,push"], ["repository:a:push,pull"], ["repository:a:pull,push"]],
  [["repository:a:pull"], ["repository:a:delete"], ["repository:a:delete,pull"]],
  [
    ["repository:a:push", "repository:b:pull"],
    ["registry:catalog:*", "repository:b:push"],
    ["repository:a:push", "repository:b:pull,push", "registry:catalog:*"],
  ],
  [["repository:host:5000/a:pull"], [""], ["repository:host:5000/a:pull"]],
])("%j and %j are %j", (first, second, expected) => {
  expect(joinScopes(first, second)).toEqual(expected);
});
