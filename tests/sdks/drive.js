// Calls Cronofy's own library, as it is but for the host, with what the test says; prints what it gave.
const Cronofy = require("cronofy");

const { host, config, calls } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const client = new Cronofy(config);
client.urls.api = host;

(async () => {
  const results = [];
  for (const [method, ...args] of calls) {
    try {
      results.push({ given: await client[method](...args) });
    } catch (error) {
      results.push({ status: error.statusCode, entity: error.error && error.error.entity, failed: String(error) });
    }
  }
  process.stdout.write(JSON.stringify(results));
})();
