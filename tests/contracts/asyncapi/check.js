// Reads an AsyncAPI document, prints one line per fault that @asyncapi/parser finds, and exits 1 when there is any.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

const NAMES = ["error", "warning", "information", "hint"];

new Parser().parse(readFileSync(process.argv[2], "utf-8")).then(({ document, diagnostics }) => {
  for (const { severity, path, message } of diagnostics) {
    console.log(`${NAMES[severity]}: ${path.join(".")}: ${message}`);
  }
  console.log(`messages: ${document ? document.messages().length : 0}`);
  process.exit(document && diagnostics.every(({ severity }) => severity > 1) ? 0 : 1);
});
