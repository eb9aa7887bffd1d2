"""Makes fixtures/golden.json: expected values for the tests of this package, by independent implementations.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    venv/bin/python golden/make.py

Where no library has the method, the definition is computed the slow way (brute force, exact fractions, a numerical
optimiser), never by the formula that the package uses.
"""

import json
import math
import platform
from fractions import Fraction
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import optimize, stats
from scipy.spatial.distance import jensenshannon
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(20260101)


def distributions():
    xs = [-30.0, -8.0, -1.5, 0.0, 0.3, 1.96, 6.0]
    ps = [1e-12, 0.001, 0.025, 0.4, 0.5, 0.975, 0.9999]
    chi2 = [(0.01, 1), (3.84, 1), (80.0, 1), (2.0, 2), (30.0, 2), (1200.0, 3), (9.0, 9), (60.0, 10), (500.0, 99), (700.0, 500), (1e5, 9e4), (499.0, 500)]
    binom = [(0, 1, 0.5), (3, 10, 0.5), (40, 100, 0.5), (400, 1000, 0.5), (4000, 10000, 0.5), (499000, 1000000, 0.5), (7, 20, 0.1)]
    ts = [(-2.0, 1), (-2.0, 5), (1.0, 30), (-10.0, 12), (3.0, 1000)]
    kstwo = [(math.sqrt(s / n), n) for n in (1, 3, 20, 140, 141, 1000, 20000, 1000000) for s in (0.15, 0.5, 1.0, 2.0, 3.0, 8.0) if s <= n]
    two = [(n, m, d) for n, m in ((1, 1), (5, 5), (7, 4), (50, 50), (60, 45), (1000, 999), (200, 3000)) for d in range(1, 10)]
    exact = []
    for n, m, d in two:
        lcm = math.lcm(n, m)
        h = max(1, round(d / 10 * lcm))
        exact.append([h / lcm, n, m, exact_path_p(n, m, h)])
    return {
        "normalCdf": [[x, stats.norm.cdf(x)] for x in xs],
        "normalQuantile": [[p, stats.norm.ppf(p)] for p in ps],
        "chiSquareSf": [[x, int(k), stats.chi2.sf(x, k)] for x, k in chi2],
        "chiSquareQuantile": [[p, k, stats.chi2.ppf(p, k)] for p in (0.05, 0.5, 0.95) for k in (1, 4, 9, 50)],
        "binomialCdf": [[k, n, p, stats.binom.cdf(k, n, p)] for k, n, p in binom],
        "tCdf": [[x, k, stats.t.cdf(x, k)] for x, k in ts],
        "tQuantile": [[p, k, stats.t.ppf(p, k)] for p in (0.025, 0.6, 0.975) for k in (1, 4, 30, 10000)],
        "kolmogorovSf": [[x, n, float(stats.kstwo.sf(x, n))] for x, n in kstwo],
        "kolmogorovTwoSample": exact,
    }


def exact_path_p(n, m, h):
    """P(D >= h/lcm) by counting lattice paths inside the band with big integers."""
    g = math.gcd(n, m)
    sn, sm = m // g, n // g
    row = [1 if j * sm < h else 0 for j in range(m + 1)]
    for j in range(1, m + 1):
        row[j] = row[j] and row[j - 1]
    for i in range(1, n + 1):
        left = 0
        for j in range(m + 1):
            left = (row[j] + left) if abs(i * sn - j * sm) < h else 0
            row[j] = left
    return float(1 - Fraction(row[m], math.comb(n + m, n)))


def xoshiro(seed, count):
    """xoshiro128** 1.1 after SplitMix64, in unbounded integers."""
    mask64, mask32 = (1 << 64) - 1, (1 << 32) - 1
    state, words = seed, []
    for _ in range(2):
        state = (state + 0x9E3779B97F4A7C15) & mask64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask64
        z ^= z >> 31
        words += [z & mask32, z >> 32]
    s = words

    def rotl(x, k):
        return ((x << k) | (x >> (32 - k))) & mask32

    out = []
    for _ in range(count):
        out.append((rotl((s[1] * 5) & mask32, 7) * 9) & mask32)
        t = (s[1] << 9) & mask32
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
    return out


def bounded(seed, bound, count):
    """Draws below `bound` by the definition of their rejection rule, on exact integers."""
    stream = iter(xoshiro(seed, 4 * count))
    out = []
    for _ in range(count):
        while True:
            x = next(stream)
            if bound <= 2**21:
                high, low = divmod(x * bound, 2**32)
                if low >= 2**32 % bound:
                    out.append(high)
                    break
            elif x < 2**32 - 2**32 % bound:
                out.append(x % bound)
                break
    return {"seed": seed, "bound": bound, "draws": count, "last": out[-5:], "sum": sum(out)}


def evidently_shares(ref, cur, fill):
    """Evidently's get_binned_data (numeric, more than 20 distinct values), with its zero fill."""
    edges = np.histogram_bin_edges(np.concatenate([ref, cur]), bins="sturges")
    counts = [np.histogram(x, edges)[0] for x in (ref, cur)]
    shares = [c / len(x) for c, x in zip(counts, (ref, cur))]
    if fill:
        for s in shares:
            low = s[s != 0].min()
            s[s == 0] = low / 10**6 if low <= 0.0001 else 0.0001
    return edges, counts, shares


def numeric(name, ref, cur):
    ks = stats.ks_2samp(ref, cur)
    edges, counts, (p, q) = evidently_shares(ref, cur, True)
    _, _, (jp, jq) = evidently_shares(ref, cur, False)
    w = stats.wasserstein_distance(ref, cur)
    probabilities = np.arange(1, 10) / 10
    deciles = np.unique(np.quantile(ref, probabilities, method="inverted_cdf"))
    return {
        "name": name,
        "reference": ref.tolist(),
        "current": cur.tolist(),
        "integers": bool(np.issubdtype(ref.dtype, np.integer)),
        "ks": {"statistic": float(ks.statistic), "pValue": float(ks.pvalue)},
        "wasserstein": {"distance": float(w), "normed": float(w / max(np.std(ref), 0.001))},
        "sturges": {"edges": edges.tolist(), "reference": counts[0].tolist(), "current": counts[1].tolist()},
        "psi": float(np.sum((p - q) * np.log(p / q))),
        "jensenShannon": float(jensenshannon(jp, jq)),
        "jensenShannonBase2": float(jensenshannon(jp, jq, 2)),
        "deciles": deciles[deciles < ref.max()].tolist(),
    }


def categorical(ref, cur):
    ref, cur = np.array(ref), np.array(cur)
    table = np.array([ref, cur])
    table = table[:, table.sum(0) > 0]
    test = stats.chi2_contingency(table, correction=False)
    n, k = table.sum(), table.shape[1]
    phi2 = max(0, test.statistic / n - (k - 1) / (n - 1))
    kc, rc = k - (k - 1) ** 2 / (n - 1), 2 - 1 / (n - 1)
    out = {
        "reference": ref.tolist(),
        "current": cur.tolist(),
        "chi2": {"statistic": test.statistic, "pValue": test.pvalue, "degreesOfFreedom": int(test.dof), "minimumExpected": float(test.expected_freq.min())},
        "cramersV": float(association(table, method="cramer", correction=False)),
        "corrected": math.sqrt(phi2 / (min(kc, rc) - 1)),
        "jensenShannon": float(jensenshannon(ref / ref.sum(), cur / cur.sum())),
    }
    if (ref > 0).all():
        gof = stats.chisquare(cur, ref * cur.sum() / ref.sum())
        out["goodnessOfFit"] = {"statistic": float(gof.statistic), "pValue": float(gof.pvalue)}
    return out


def delong(labels, a, b):
    labels = np.array(labels)

    def kernel(scores):
        x, y = scores[labels == 1][:, None], scores[labels == 0][None, :]
        return (x > y) + 0.5 * (x == y)

    ka, kb = kernel(a), kernel(b)
    d = kb - ka
    variance = d.mean(1).var(ddof=1) / d.shape[0] + d.mean(0).var(ddof=1) / d.shape[1]
    delta = roc_auc_score(labels, b) - roc_auc_score(labels, a)
    return {
        "labels": labels.tolist(),
        "production": a.tolist(),
        "candidate": b.tolist(),
        "areas": [float(roc_auc_score(labels, a)), float(roc_auc_score(labels, b))],
        "variance": float(variance),
        "pValue": float(2 * stats.norm.sf(abs(delta) / math.sqrt(variance))),
    }


def mcnemar(b, c):
    n = b + c
    half = Fraction(1, 2**n)
    tail = sum(Fraction(math.comb(n, i)) for i in range(min(b, c) + 1)) * half
    at = math.comb(n, min(b, c)) * half
    mid = 1 - at / 2 if b == c else 2 * tail - at
    return {
        "candidateOnly": b,
        "productionOnly": c,
        "pValue": float(stats.binomtest(b, n, 0.5).pvalue),
        "midP": float(mid),
        "candidateBetter": float(stats.binomtest(b, n, 0.5, alternative="greater").pvalue),
        "productionBetter": float(stats.binomtest(c, n, 0.5, alternative="greater").pvalue),
    }


def tango(b, c, n, margin, level):
    """The score test with the nuisance share found by maximising the constrained likelihood numerically."""

    def z(difference):
        low, high = max(0.0, -difference), (1 - difference) / 2
        rest = n - b - c

        def loss(q):
            value = 0.0
            for count, share in ((b, q + difference), (c, q), (rest, 1 - 2 * q - difference)):
                if count > 0:
                    value -= count * math.log(share) if share > 0 else -1e300
            return value

        q = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-14}).x
        return (b - c - n * difference) / math.sqrt(n * (2 * q + difference - difference**2))

    reach = stats.norm.ppf(0.5 + level / 2)
    delta = (b - c) / n
    tiny = 1e-9
    low = optimize.brentq(lambda d: z(d) - reach, -1 + tiny, delta - tiny, xtol=1e-13)
    high = optimize.brentq(lambda d: z(d) + reach, delta + tiny, 1 - tiny, xtol=1e-13)
    return {"candidateOnly": b, "productionOnly": c, "rows": n, "margin": margin, "level": level, "z": z(-margin), "interval": [low, high]}


def bootstrap():
    """Two metrics on 150 rows: a skewed ratio and a mean, BCa by scipy with its own random stream."""
    n = 150
    weight = np.round(rng.lognormal(0, 1.2, n), 6)
    production = np.round(weight * rng.uniform(0.2, 1, n), 6)
    candidate = np.round(np.minimum(weight, production * rng.uniform(0.8, 1.4, n)), 6)

    def delta(p, c, w, axis=-1):
        return c.sum(axis) / w.sum(axis) - p.sum(axis) / w.sum(axis)

    out = {"weight": weight.tolist(), "production": production.tolist(), "candidate": candidate.tolist()}
    for method in ("BCa", "percentile", "basic"):
        r = stats.bootstrap((production, candidate, weight), delta, paired=True, vectorized=True, n_resamples=200_000, batch=10_000, method=method, rng=np.random.default_rng(1))
        out[method] = {"interval": [float(r.confidence_interval.low), float(r.confidence_interval.high)], "standardError": float(r.standard_error)}
    return out


def main():
    ps = np.round(rng.uniform(0, 1, 12) ** 3, 6)
    ps[3] = ps[7]
    a, b = rng.normal(0, 1, 40), rng.normal(0.1, 1, 40)
    paired = stats.ttest_rel(b, a)
    d = b - a
    scores = rng.normal(0, 1, 90)
    labels = (rng.uniform(0, 1, 90) < 0.4).astype(int)
    tied = np.round(scores + 0.8 * labels, 1)
    values = (rng.normal(0, 1, 200) * 10.0 ** rng.integers(-12, 13, 200)).tolist()
    golden = {
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        "distributions": distributions(),
        "random": [{"seed": str(s), "uint32": xoshiro(s, 12)} for s in (0, 1, 20260101, 2**64 - 1)],
        "bounded": [bounded(3, bound, 40_000) for bound in (7, 1000, 2_000_003, 2**21 + 1, 3_000_000_000)],
        "numeric": [
            numeric("normal", rng.normal(0, 1, 120), rng.normal(0.3, 1.2, 75)),
            numeric("same", rng.normal(5, 2, 60), rng.normal(5, 2, 60)),
            numeric("integers with ties", rng.poisson(20, 150), rng.poisson(22, 90)),
            numeric("heavy tail", np.round(rng.lognormal(0, 2, 100), 4), np.round(rng.lognormal(0.5, 2, 130), 4)),
            numeric("far apart", rng.normal(0, 1, 40), rng.normal(9, 0.1, 30)),
        ],
        "categorical": [
            categorical([100, 50, 25, 5], [80, 60, 30, 9]),
            categorical([400, 300, 0, 3], [380, 290, 7, 0]),
            categorical([50, 50], [20, 80]),
        ],
        "multiple": {"pValues": ps.tolist(), "benjaminiHochberg": stats.false_discovery_control(ps).tolist(), "holm": holm(ps)},
        "delong": [
            delong(labels, scores + 0.8 * labels, scores + labels + rng.normal(0, 0.5, 90)),
            delong(labels, tied, np.round(scores * 0.7 + 0.5 * labels + rng.normal(0, 0.4, 90), 1)),
        ],
        "mcnemar": [mcnemar(*x) for x in ((0, 1), (5, 5), (10, 25), (3, 0), (300, 351))],
        "tango": [tango(*x) for x in ((12, 20, 200, 0.05, 0.95), (0, 4, 60, 0.1, 0.95), (7, 0, 44, 0.02, 0.9), (130, 90, 1000, 0.01, 0.95), (3, 3, 10, 0.2, 0.99))],
        "pairedMean": {"differences": d.tolist(), "pValue": float(paired.pvalue), "interval": [float(x) for x in paired.confidence_interval(0.95)], "standardDeviation": float(d.std(ddof=1))},
        "sampleSize": [{"sd": s, "margin": m, "alpha": al, "power": po, "rows": math.ceil(((stats.norm.ppf(1 - al) + stats.norm.ppf(po)) * s / m) ** 2)} for s, m, al, po in ((0.3, 0.01, 0.05, 0.8), (0.3, 0.005, 0.05, 0.8), (0.3, 0.01, 0.025, 0.9), (0.05, 0.5, 0.025, 0.8))],
        "sum": {"values": values, "sum": math.fsum(values), "variance": float(np.var(values, ddof=1))},
        "bootstrap": bootstrap(),
    }
    path = Path(__file__).parent / "fixtures" / "golden.json"
    path.parent.mkdir(exist_ok=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items())
    path.write_text(f"{{\n{lines}\n}}\n")
    print(path, path.stat().st_size, "bytes")


def holm(ps):
    """By its definition: the smallest alpha at which the step-down procedure still rejects each hypothesis."""
    order = np.argsort(ps, kind="stable")
    m = len(ps)
    adjusted = np.empty(m)
    for rank, index in enumerate(order):
        adjusted[index] = max(min(1.0, (m - j) * ps[order[j]]) for j in range(rank + 1))
    return adjusted.tolist()


if __name__ == "__main__":
    main()
