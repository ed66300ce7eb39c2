// Validates test files as SchemaStore's `cli.js check` does for a schema under `ajvNotStrictMode`.
// Arguments: folder of node_modules, folder of the files to submit. Prints one JSON object.
import { createRequire } from 'node:module'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

const [modules, folder] = process.argv.slice(2)
const require = createRequire(path.join(modules, 'package.json'))
const { Ajv } = require('ajv')
const YAML = require('yaml')

const SCHEMASTORE_KNOWS = [
  'allowTrailingCommas', 'defaultSnippets', 'markdownDescription', 'enumDescriptions',
  'markdownEnumDescriptions', 'x-taplo', 'x-taplo-info', 'x-tombi-toml-version',
  'x-tombi-array-values-order', 'x-tombi-array-values-order-by', 'x-tombi-table-keys-order',
  'x-tombi-string-formats', 'x-tombi-additional-key-label', 'x-intellij-language-injection',
  'x-intellij-html-description', 'x-intellij-enum-metadata',
]
const json = (file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8'))
const options = json('schema-validation.json')
const isStrict = !options.ajvNotStrictMode.includes('llmcfg.json')
const ajv = new Ajv(
  isStrict ? { strict: true } : { strictTypes: false, strictTuples: false, allowMatchingProperties: true },
)
for (const keyword of [...SCHEMASTORE_KNOWS, ...(options.options['llmcfg.json']?.unknownKeywords ?? [])]) {
  ajv.addKeyword(keyword)
}
const validate = ajv.compile(json('schemas/json/llmcfg.json'))
const judged = (kind) =>
  Object.fromEntries(
    readdirSync(path.join(folder, kind, 'llmcfg')).map((name) => {
      const text = readFileSync(path.join(folder, kind, 'llmcfg', name), 'utf8')
      return [name, validate(YAML.parse(text)) ? [] : validate.errors.map((error) => `${error.instancePath}: ${error.message}`)]
    }),
  )
console.log(JSON.stringify({ test: judged('test'), negative_test: judged('negative_test') }))
