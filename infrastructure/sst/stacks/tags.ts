import type { Settings } from "./settings";

/**
 * Tags every resource that takes tags. Pulumi's AWS resources of such a type have the
 * property "tags" even where it was not given, so that no list of types is needed;
 * what SST's components make beside ours is tagged too.
 */
export function tagEverything(settings: Settings) {
  const tags = {
    ...settings.extraTags,
    Project: "device-tokens",
    Env: settings.stage,
    Owner: settings.owner,
    CostCenter: settings.costCenter,
  };
  $util.runtime.registerStackTransformation(({ type, props, opts }) => {
    if (!type.startsWith("aws:") || !("tags" in props) || opts.id !== undefined) return undefined;
    return { props: { ...props, tags: { ...props.tags, ...tags } }, opts };
  });
}
