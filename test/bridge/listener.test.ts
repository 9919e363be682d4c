/** The listener's own tries; test/runtime/http-server.test.ts and hosted-files.test.ts play what they are for. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { listen } from "../../src/bridge/listener.ts";
import { onlyInCheck } from "../support/rounds.ts";

test(
  "a listener that tries whether it still accepts takes that for nobody's connection",
  { skip: onlyInCheck },
  async () => {
    const accepted: number[] = [];
    const listener = await listen({
      host: "127.0.0.1",
      port: 0,
      allowHalfOpen: false,
      onConnection: (socket) => void accepted.push(socket.remotePort!),
      onRestart: () => assert.fail("it accepts"),
    });
    // It tries after two seconds in which nobody came.
    await new Promise((resolve) => setTimeout(resolve, 2300));
    const other = connect(listener.port, "127.0.0.1");
    for (let i = 0; i < 500 && accepted.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    const { localPort } = other;
    other.destroy();
    await listener.close();
    assert.deepEqual(accepted, [localPort]);
  },
);
