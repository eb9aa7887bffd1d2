/** One line that works, or two, for each command: shown below its help, and parsed by a test. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  init: ['passloop init --plan', 'passloop init --owners @acme/ml'],
  doctor: ['passloop doctor', 'passloop doctor --ref origin/main --json diagnosis.json'],
  check: ['passloop check --against origin/main', 'passloop check --against origin/main --plan'],
  'data lock': ['passloop data lock'],
  'data profile': ['passloop data profile', 'passloop data profile train.parquet --key id --out profile.json'],
  'data suggest': ['passloop data suggest train.parquet --key id', 'passloop data suggest --from suite.json'],
  'data validate': [
    'passloop data validate',
    'passloop data validate new.csv --checks checks.yaml',
    'passloop data validate new.csv --checks checks.yaml --key id --failing-rows broken',
  ],
  'data drift': [
    'passloop data drift --reference train.parquet --current today.parquet --key id',
    'passloop data drift --reference train.parquet --current today.parquet --except id --compat evidently',
    'passloop data drift --calibrate --reference train.parquet --key id',
  ],
  'train run': ['passloop train run'],
  'train key': ['passloop train key --ref v1.2'],
  'train explain': ['passloop train explain --against origin/main'],
  'train reproduce': ['passloop train reproduce'],
  'package scan': ['passloop package scan model.joblib --allow mypackage.Scaler'],
  'package build': ['passloop package build'],
  'package probe': [
    'passloop package probe',
    'passloop package probe http://localhost:8080 --grpc localhost:8081 --signature signature.json --data rows.parquet',
  ],
  'package push': ['passloop package push'],
  compare: [
    'passloop compare --production old.csv --candidate new.csv --key id --label y --score proba --positive 1 --metric roc_auc:higher:0.005',
    'passloop compare --production old-*.parquet --candidate new-*.parquet --key id --label y --score proba --positive 1 --metric roc_auc:higher:0.005',
  ],
  'manifests write': [
    'passloop manifests --environment prod --image ghcr.io/acme/flight@sha256:<64 hex> --plan',
    'passloop manifests --environment prod --out ../deploy',
  ],
  'manifests lint': [
    'passloop manifests lint apps/flight',
    'passloop manifests lint route.yaml rule.yaml --json lint.json',
  ],
  adopt: ['passloop adopt --plan', 'passloop adopt --ref 3f9c1ab'],
  promote: ['passloop promote --plan', 'passloop promote --environment prod'],
  rollback: ['passloop rollback --reason "late flights at night"', 'passloop rollback --to 2026.11.22-3f9c1ab'],
  hold: ['passloop hold sha256:<64 hex> --reason "trained on a leak"', 'passloop hold sha256:<64 hex> --lift'],
  status: ['passloop status', 'passloop status --repository acme/deploy'],
  explain: ['passloop explain 2026.11.22-3f9c1ab', 'passloop explain sha256:<64 hex>'],
  edit: [
    'passloop edit kustomization.yaml --kind kustomize --image ghcr.io/acme/flight --to sha256:<64 hex> --plan',
    'passloop edit values.yaml --kind helm-values --address server.image --to ghcr.io/acme/flight:v7@sha256:<64 hex>',
    'passloop edit isvc.yaml --kind kserve --slot canary --percent 10 --to sha256:<64 hex>',
    'passloop edit routes.yaml --kind istio --subset canary --weight 10',
  ],
};
