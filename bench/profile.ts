import { type Profiler, Session } from 'node:inspector/promises';

/**
 * Runs the work under the sampling profiler: percent of the main thread's busy time in each folder of src and each dependency,
 * what the engine and Node did for them included.
 */
export async function sharesByFolder(run: () => Promise<unknown>): Promise<Record<string, number>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  await run();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  const folders = foldersOf(profile.nodes);
  const timeUs = new Map<string, number>();
  let busyUs = 0;
  for (const [i, node] of (profile.samples ?? []).entries()) {
    const folder = folders.get(node)!;
    if (folder === '(idle)') continue;
    const deltaUs = profile.timeDeltas![i]!;
    busyUs += deltaUs;
    timeUs.set(folder, (timeUs.get(folder) ?? 0) + deltaUs);
  }
  const sorted = [...timeUs].sort((a, b) => b[1] - a[1]);
  const percents = sorted.map(
    ([folder, us]) => [folder, Math.round((us / busyUs) * 1000) / 10] as [string, number],
  );
  return Object.fromEntries(percents.filter(([, percent]) => percent >= 0.5));
}

/** The folder of each call: its own, or that of the nearest caller that has one. Callers stand before what they call. */
function foldersOf(nodes: readonly Profiler.ProfileNode[]): Map<number, string> {
  const folders = new Map<number, string>();
  const callers = new Map<number, string>();
  for (const { id, callFrame, children } of nodes) {
    const folder = folderOf(callFrame) ?? callers.get(id) ?? 'node';
    folders.set(id, folder);
    for (const child of children ?? []) callers.set(child, folder);
  }
  return folders;
}

function folderOf({ url, functionName }: { url: string; functionName: string }): string | null {
  if (url.includes('/node_modules/')) return url.split('/node_modules/').at(-1)!.split('/')[0]!;
  if (url.includes('/src/')) return `src/${url.split('/src/').at(-1)!.split('/')[0]}`;
  if (url.includes('/bench/')) return 'bench';
  // The engine's own: (garbage collector), (program) = native code, (idle).
  return url === '' && /^\((?!root|anonymous)/.test(functionName) ? functionName : null;
}
