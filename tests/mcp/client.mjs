// A session of the official TypeScript client: node client.mjs MODE URL|COMMAND ARGUMENT...
// MODE is "legacy" or a modern version. Prints one JSON object of what was heard.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.NODE_MODULES + "/");
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Client, StreamableHTTPClientTransport } = await load("@modelcontextprotocol/client");
const { StdioClientTransport } = await load("@modelcontextprotocol/client/stdio");

const [mode, target, ...args] = process.argv.slice(2);
const client = new Client({ name: "tests", version: "1" }, {
  capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} },
  versionNegotiation: { mode: mode === "legacy" ? "legacy" : { pin: mode } },
});
client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: { name: "Alice", username: "a", email: "b" } }));
client.setRequestHandler("sampling/createMessage", () => ({ role: "assistant", model: "m", content: { type: "text", text: "Paris" } }));
client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///x" }] }));
const transport = target.startsWith("http") ? new StreamableHTTPClientTransport(new URL(target))
  : new StdioClientTransport({ command: target, args });
await client.connect(transport);
const text = (result) => result.content.map((block) => block.text ?? block.type).join();
const progress = [];
const heard = {
  server: client.getServerVersion()?.name,
  version: client.getNegotiatedProtocolVersion(),
  tools: (await client.listTools()).tools.length,
  resources: (await client.listResources()).resources.length,
  prompts: (await client.listPrompts()).prompts.length,
  text: text(await client.callTool({ name: "test_simple_text", arguments: {} })),
  structured: (await client.callTool({ name: "test_structured", arguments: {} })).structuredContent,
  error: (await client.callTool({ name: "test_error_handling", arguments: {} })).isError,
  read: (await client.readResource({ uri: "test://static-text" })).contents[0].text,
  prompt: (await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } })).messages[0].content.text,
  completion: (await client.complete({ ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
                                       argument: { name: "arg1", value: "par" } })).completion.values,
  elicited: text(await client.callTool({ name: "test_input_required_result_elicitation", arguments: {} })),
  sampled: text(await client.callTool({ name: "test_sampling", arguments: { prompt: "?" } })),
};
await client.callTool({ name: "test_tool_with_progress", arguments: {} }, { onprogress: (p) => progress.push(p.progress) });
heard.progress = progress;
await client.close();
console.log(JSON.stringify(heard));
