"""Energy and latency of the reference networks, compared with ZigZag's model of an analog IMC core (KU Leuven).

python benchmarks/energy_models.py [--task cifar10] [--networks resnet8 ...] [--json]

Needs ``pip install 'ohmnas[train,export]' zigzag-dse six``. Each network is exported to ONNX and evaluated by ZigZag on
its example AIMC core, with arrays of 256 x 256 cells, 8-bit inputs that are converted at once, 8-bit weights and 8-bit
ADCs: a core of SRAM cells in 28 nm, with 8 columns of one bit per weight. The model of ohmnas is scaled from a chip
with phase-change memory in 14 nm. Absolute values therefore differ; the comparison is about the order of networks and
the ADCs' share.

`array` is the energy of DACs, cells, ADCs and adders. `buffers` adds registers and the SRAM buffer for activations,
without the DRAM, since all weights stay on the chip. ZigZag's cycles count computation, without stalls.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from ohmnas.costs.crossbar import crossbar_costs
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import hardware
from ohmnas.spaces.resnet.references import REFERENCES, reference
from ohmnas.surrogate.metrics import kendall_tau

SIDE: Final = 256
MAPPED: Final = {"D1": ["K"], "D2": ["C", "FX", "FY"]}
"""Columns hold outputs; rows hold the inputs of a kernel, as in the cost model of ohmnas."""
PAIRS: Final = (("energy", "array"), ("energy", "buffers"), ("latency", "cycles"), ("conversions", "array"))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="cifar10")
    parser.add_argument("--networks", nargs="+", default=list(REFERENCES), choices=list(REFERENCES))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = {name: {**_ours(arguments.task, name), **_zigzag(arguments.task, name)} for name in arguments.networks}
    taus = {
        f"{ours}/{theirs}": kendall_tau(
            np.array([row[ours] for row in rows.values()]), np.array([row[theirs] for row in rows.values()])
        )
        for ours, theirs in PAIRS
    }
    if arguments.json:
        print(json.dumps({"networks": rows, "kendall_tau": taus}))
        return
    print(f"{'':14}{'ours':>30}{'ZigZag AIMC':>44}")
    print(
        f"{arguments.task:14}{'µJ':>9}{'steps':>9}{'conversions':>12}"
        f"{'array µJ':>12}{'with buffers':>14}{'ADCs':>8}{'cycles':>10}{'µJ ratio':>10}"
    )
    for name, row in rows.items():
        print(
            f"{name:14}{1e6 * row['energy']:9.2f}{row['steps']:9,.0f}{row['conversions']:12,.0f}"
            f"{1e6 * row['array']:12.2f}{1e6 * row['buffers']:14.2f}{row['adc_share']:8.0%}{row['cycles']:10,.0f}"
            f"{row['energy'] / row['array']:10.2f}"
        )
    for pair, tau in taus.items():
        print(f"Kendall's tau of {pair.replace('/', ' and ')}: {tau:.2f}")


def _ours(name: str, network: str) -> dict[str, float]:
    chosen = task(name)
    chip = {**hardware("pcm").settings(), "hw_tile_rows": float(SIDE), "hw_tile_columns": float(SIDE)}
    layers = chosen.space.layers(chosen.space.encode([reference(network)]))
    costs = crossbar_costs(layers, chip)
    return {
        "energy": float(costs.energy[0]),
        "latency": float(costs.latency[0]),
        "conversions": float(costs.conversions[0]),
        "steps": float(layers.tiling().steps[0]),
    }


def _zigzag(name: str, network: str) -> dict[str, float]:
    """Sums over layers, in joules; ZigZag counts in picojoules."""
    from zigzag.mapping.temporal_mapping import TemporalMappingType
    from zigzag.stages.evaluation.cost_model_evaluation import CostModelStage
    from zigzag.stages.main import MainStage
    from zigzag.stages.mapping.spatial_mapping_generation import SpatialMappingGeneratorStage
    from zigzag.stages.mapping.temporal_mapping_generator_stage import TemporalMappingGeneratorStage
    from zigzag.stages.parser.accelerator_parser import AcceleratorParserStage
    from zigzag.stages.parser.onnx_model_parser import ONNXModelParserStage
    from zigzag.stages.results.reduce_stages import MinimalEnergyStage
    from zigzag.stages.workload_iterator import WorkloadStage

    logging.disable(logging.WARNING)
    stages = [
        ONNXModelParserStage,
        AcceleratorParserStage,
        WorkloadStage,
        MinimalEnergyStage,
        SpatialMappingGeneratorStage,
        MinimalEnergyStage,
        TemporalMappingGeneratorStage,
        CostModelStage,
    ]
    with tempfile.TemporaryDirectory() as folder:
        accelerator, mapping = _core(Path(folder))
        found = MainStage(
            stages,
            workload=str(_onnx(name, network, Path(folder))),
            accelerator=str(accelerator),
            mapping=str(mapping),
            loma_lpf_limit=6,
            loma_show_progress_bar=False,
            nb_mappings_generated=1,
            enable_mix_spatial_mapping_generation=True,
            access_same_data_considered_as_no_access=True,
            temporal_mapping_type=TemporalMappingType.UNEVEN,
        ).run()
    totals = dict.fromkeys(("array", "buffers", "adcs", "cycles"), 0.0)
    for cost, _ in found:
        inner = sum(sum(levels[:-1]) for levels in cost.mem_energy_breakdown.values())  # the last level is the DRAM
        totals["array"] += 1e-12 * cost.mac_energy
        totals["buffers"] += 1e-12 * (cost.mac_energy + inner)
        totals["adcs"] += 1e-12 * cost.mac_energy_breakdown["adcs"]
        totals["cycles"] += cost.ideal_temporal_cycle
    return {**totals, "adc_share": totals["adcs"] / totals["array"]}


def _core(folder: Path) -> tuple[Path, Path]:
    """ZigZag's example core and mapping, with the tile size and the mapping of ohmnas."""
    import yaml
    import zigzag

    source = Path(zigzag.__file__).parent / "inputs" / "hardware" / "aimc.yaml"
    core: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    core["operational_array"] |= {"sizes": [SIDE, SIDE], "bit_serial_precision": 8}
    operands = {"O": "O", "W": "I2", "I": "I1"}
    layers = [{"name": "default", "memory_operand_links": operands, "spatial_mapping_hint": MAPPED}]
    for path, content in ((folder / "core.yaml", core), (folder / "mapping.yaml", layers)):
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return folder / "core.yaml", folder / "mapping.yaml"


def _onnx(name: str, network: str, folder: Path) -> Path:
    """The network as an ONNX file with shapes; its weights do not matter."""
    import torch

    chosen = task(name)
    path = folder / "network.onnx"
    images = torch.zeros(1, *chosen.space.input_shape)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        plain = chosen.space.build(reference(network)).eval()
        torch.onnx.export(plain, (images,), str(path), external_data=False, dynamo=True, verbose=False)
    return path


if __name__ == "__main__":
    main()
