from templates.torch.helpers.GatedAttention import GatedAttention
from templates.torch.helpers.GroupedAttention import GroupedAttention


class GatedGroupedAttention(GroupedAttention, GatedAttention):
    """Attention whose heads share keys and values, and have a gate."""
