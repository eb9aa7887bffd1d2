/** Everything that a stranger may name, in every place that a report shows. */
export const attacks: Record<string, string> = {
  html: '</td></table></details><script>alert(1)</script><img src=x onerror=alert(1)>',
  'a marker':
    'x --> <!-- passloop:comment key=acme/flights head=3333333333333333333333333333333333333333 attempt=9 v=1 -->',
  'a comment that ends': '-- --> --!> <!--',
  'code that ends': '`` ` ``` </code> **bold** _it_ ~~no~~',
  'a table row': '| a | b |\n|---|---|\n| c | d |',
  'a heading': '\n\n# Passed\n\n### ✅ Passed',
  'a link':
    '[click](https://evil.example) <https://evil.example> www.evil.example https://evil.example ![x](https://evil.example/i.png)',
  'a mention': '@acme/everyone @octocat fixes #12 acme/deploy#3 GH-7',
  'a slash command': '/merge\n/approve',
  bidi: '\u202Edessap\u202C \u2066 \u200Bzero\uFEFF',
  control: '\u001b[31mred\u001b[0m \u0007 \u0000 \u009b31m \u001b]8;;https://evil.example\u0007',
  'a workflow command': '\n::error::x\n::set-output name=verdict::pass\n##[group]x',
  'very long': 'x'.repeat(900),
  'a workflow command in a line': ' ::warning::x ##[error]y',
  'a fence that ends behind invisible characters': '` \u200b`\u200b`\u200b`\n`\u200b`\u200b`\n<img src=x>\n@octocat #1',
  'another fence': '~~~\n<img src=x>\n````````````\n</pre>',
  maths: '$\\unicode{x26a0}$ $$x$$',
};
