/// <reference path="./.sst/platform/config.d.ts" />

// The system of infrastructure/*.tf in SST, which infrastructure/sst_test.go compares. SST
// allows no import at the top of this file.
export default $config({
  async app(input) {
    const { settingsOf, isProtected } = await import("./stacks/settings");
    const settings = settingsOf(input.stage);
    return {
      name: "device-tokens",
      version: "4.17.1",
      home: "aws",
      // Outside dev, `sst remove` is refused, and the table and the key stay.
      protect: isProtected(settings.stage),
      removal: isProtected(settings.stage) ? "retain" : "remove",
      providers: { aws: { version: "7.20.0", region: settings.region } },
    };
  },

  async run() {
    const { settingsOf } = await import("./stacks/settings");
    const { system } = await import("./stacks/system");
    return system(settingsOf($app.stage));
  },
});
