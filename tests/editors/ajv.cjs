// Compiles the schema named by the argument in Ajv's strict mode, and judges the list of configs on stdin.
const fs = require("fs");
const Ajv = require("ajv/dist/2020");

const schema = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const editors = ["markdownDescription", "enumDescriptions", "markdownEnumDescriptions", "patternErrorMessage", "doNotSuggest"];
const own = new Set(JSON.stringify(schema).match(/"x-[a-z-]+"(?=:)/g).map((name) => name.slice(1, -1)));

// strictTypes asks for `type` beside every keyword; a type leaves it to the parameter that refers to it.
const ajv = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true, allErrors: true, validateFormats: false });
ajv.addVocabulary([...editors, ...own]);
const validate = ajv.compile(schema);

const configs = JSON.parse(fs.readFileSync(0, "utf8"));
for (const config of configs) {
  if (!validate(config)) console.error(JSON.stringify(validate.errors.slice(0, 3)));
}
console.log(`${configs.filter((config) => validate(config)).length} valid`);
