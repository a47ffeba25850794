/** How many times longer than its own work takes a program waits here, because others compute as well; 1 on an idle machine. */
export function busyness(): number {
  const [before, started, work] = [process.cpuUsage(), performance.now(), 300]
  while (process.cpuUsage(before).user < work * 1000);
  return Math.max(1, (performance.now() - started) / work)
}
