// Reads a flowchart from standard input with Mermaid's own parser, and prints how many nodes and edges it found.
import { readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('<!DOCTYPE html><body></body>');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');
mermaid.initialize({ startOnLoad: false });
const diagram = await mermaid.mermaidAPI.getDiagramFromText(readFileSync(0, 'utf8'));
const nodes = [...diagram.db.getVertices().keys()].filter((id) => id.startsWith('n'));
console.log(JSON.stringify({ nodes: nodes.length, edges: diagram.db.getEdges().length }));
