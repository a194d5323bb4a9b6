import monitoring from "../../monitoring.json";
import { metricsOf } from "./alarms";
import type { Account, Names } from "./names";
import type { Settings } from "./settings";

/** Makes the dashboard: the state of every alarm, and eight graphs, two in a row. */
export function makeDashboard(settings: Settings, names: Names, account: Account, alarmNames: string[]) {
  const scopes = metricsOf(settings, names);
  const arns = alarmNames.map(
    (name) => $interpolate`arn:${account.partition}:cloudwatch:${account.region}:${account.id}:alarm:${name}`,
  );
  const listed = ({ of, names }: { of: string; names: string[] }) => {
    const { namespace, dimensions } = scopes[of];
    return names.flatMap((metric) => dimensions.map((named) => [namespace, metric, ...Object.entries(named).flat()]));
  };
  const widgets = [
    { type: "alarm", x: 0, y: 0, width: 24, height: 3, properties: { title: "Alarms", alarms: arns } },
    ...monitoring.graphs.map(({ title, stat, metrics }, i) => ({
      type: "metric",
      x: 12 * (i % 2),
      y: 3 + 6 * Math.floor(i / 2),
      width: 12,
      height: 6,
      properties: { title, region: account.region, view: "timeSeries", stacked: false, stat, period: 300, metrics: metrics.flatMap(listed) },
    })),
  ];
  return new aws.cloudwatch.Dashboard("Dashboard", {
    dashboardName: names.all,
    dashboardBody: $jsonStringify({ widgets }),
  });
}
