"""One execution of the pipeline orchestrator, and the runs of its stages."""

import io
import tempfile
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from stack.mailbox import Email
from stack.run import Run


class Pipeline(Run):
    """The outputs of a pipeline run: `rows` and `tables` are those of its last stage."""

    def __init__(self, stack, name: str):
        super().__init__(stack, name)
        machine = stack.environment["PIPELINE_STATE_MACHINE_ARN"]
        self.arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    def __repr__(self) -> str:
        return f"<pipeline {self.name}>"

    @cached_property
    def frozen(self) -> dict:
        """`pipeline.json`: the stages and their names."""
        return self.json("pipeline.json")

    @cached_property
    def stages(self) -> dict[str, Run]:
        """The run of each stage, whether it was started or not."""
        names = {stage["stage_name"]: stage["execution_name"] for stage in self.frozen["stages"]}
        return {stage: Run(self.stack, name) for stage, name in names.items()}

    @property
    def email(self) -> Email:
        """The email that was sent at its end."""
        return self.stack.mailbox.about(self.name)

    def jobs_of_all_stages(self) -> list[dict]:
        """The batch jobs of its stages at the simulator."""
        return [job for stage in self.stages.values() for job in stage.jobs]


def read_together(run: Run) -> pa.Table:
    """All Parquet files of a run as one data set, of one schema."""
    with tempfile.TemporaryDirectory() as folder:
        for path in run.output["output_paths"]:
            name = path.rsplit("/", 1)[1]
            if name.endswith(".parquet"):
                (Path(folder) / name).write_bytes(run.stack.read(path))
        files = ds.dataset(folder, format="parquet")
        for fragment in files.get_fragments():
            assert fragment.physical_schema == files.schema, fragment.path
        return files.to_table()


def sizes_of(run: Run) -> dict[str, int]:
    """The number of rows in each Parquet file of a run."""
    paths = [path for path in run.output["output_paths"] if path.endswith(".parquet")]
    return {path.rsplit("/", 1)[1]: pq.read_metadata(io.BytesIO(run.stack.read(path))).num_rows for path in paths}
