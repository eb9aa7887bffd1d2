// Plain JavaScript on purpose: it must run, and say what is wrong, on a Node that cannot read TypeScript.
const wanted = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < wanted) {
  console.error(
    `Passloop's scripts need Node ${wanted} and this is Node ${process.versions.node}.\n` +
      'The package `node` brings it: run `npm ci` without --ignore-scripts, then call the script through npm again.',
  );
  process.exit(2);
}
