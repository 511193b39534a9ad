import { describe, expect, it } from "vitest";
import { runCli } from "./run-cli.ts";

async function typed(line: string): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const status = await runCli(line.split(" ").filter(Boolean), {
    env: {},
    stdin: process.stdin,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    terminal: { err: undefined, out: undefined },
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  return { status, out, err };
}

describe("a command line that is wrong ends with status 2 and says what to type", () => {
  it.each([
    ["", "which command?"],
    ["key create", 'unknown command "key create"; there are: submit, watch, get'],
    ["keys", 'unknown command "keys"'],
    ["keys create", "--name is required; --tenant is required"],
    ["keys create --name ci --tenant acme --colour red", "Unknown option '--colour'"],
    ["keys create --name ci --tenant", "--tenant <value>' argument missing"],
    ["keys create ci acme", "npm run forebay -- keys create"],
    ["keys create --name ci --tenant a:b", "--tenant must be 1-64 letters"],
    ["keys create --name ci --tenant acme --role boss", "--role expected one of"],
    ["keys create --name ci --tenant acme --lanes fast", "--lanes expected one of"],
    [
      "keys create --name ci --tenant acme --lanes batch --default-lane standard",
      "--default-lane must be one",
    ],
    ["keys create --name ci --tenant acme --models ../x", "--models must be a model name"],
    ["keys create --name ci --tenant acme --weight -1", "argument is ambiguous"],
    ["keys create --name ci --tenant acme --weight 0", "--weight Too small"],
    ["keys create --name ci --tenant acme --jobs-open-max many", "--jobs-open-max"],
    ["keys create --name ci --tenant acme --jobs-running-max 0", "--jobs-running-max Too small"],
    ["keys create --name ci --tenant acme --tokens-per-day 1.5", "--tokens-per-day"],
    ["keys create --name ci --tenant acme --expires yesterday", "--expires must be a span"],
    ["keys create --name ci --tenant acme --allow-weak", "Unknown option '--allow-weak'"],
    ["watch", "which job?"],
    ["get j1 j2", 'unexpected argument "j2"'],
    ["cancel", "which job?"],
    ["submit --watch --wait x", "exclude each other"],
    ["submit --lane fast x", "--lane must be one of interactive, standard, batch"],
    ["submit --option num_predict x", '--option takes key=value, not "num_predict"'],
    ["submit two words", 'unexpected argument "words"'],
    ["submit --url localhost:8080 x", "--url must be an address such as http://127.0.0.1:8080"],
    ["list --state done", "--state must be one of waiting"],
    ["list --limit 1000", "--limit must be a number from 1 to 100"],
    ["capacity drian gpu-1", 'unexpected argument "drian"'],
    ["capacity drain", "which host?"],
    ["capacity pause", "which model?"],
    ["capacity resume a b", 'unexpected argument "b"'],
    ["keys disable", "which key?"],
    ["keys rotate key_1 key_2", 'unexpected argument "key_2"'],
  ])("forebay %s", async (line, advice) => {
    const answer = await typed(line);
    expect(answer).toMatchObject({ status: 2, out: "", err: expect.stringContaining(advice) });
    expect(answer.err).toContain("--help");
  });
});

it.each(["--help", "help", "keys --help"])("forebay %s lists the commands", async (line) => {
  expect(await typed(line)).toMatchObject({
    status: 0,
    out: expect.stringMatching(/forebay submit .*forebay keys create/s),
    err: "",
  });
});

it("forebay keys create --help explains every flag", async () => {
  const { out } = await typed("keys create --help");
  for (const flag of ["--name", "--tenant", "--role", "--models", "--lanes", "--default-lane", "--expires"]) {
    expect(out).toContain(flag);
  }
});
